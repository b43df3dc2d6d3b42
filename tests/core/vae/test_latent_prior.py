"""What kinds of priors have in common: the library they need, and what a network is told."""

from __future__ import annotations

import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.vae.latent_prior import CONTEXT, DEFAULT_PRIOR, PriorError, PriorKind, context_of
from mlda_core.vae.priors import PRIORS


class Kind(PriorKind):
    """One that builds nothing."""

    def build(self, n_latent, shape):
        raise NotImplementedError


def kind(package):
    return Kind("guess", "Guess", "A guess", "nobody", rank=1, package=package)


def test_a_library_that_is_missing_is_named_with_the_remedy():
    for there in ("", "json"):
        kind(there).require()
    with pytest.raises(
        PriorError, match=r"guess prior needs the library no_such_library.*"
    ) as told:
        kind("no_such_library").require()
    assert isinstance(told.value, UserError)
    assert "pip install 'mlda-climate[priors]'" in str(told.value)
    assert "\n" not in str(told.value)


def test_the_prior_of_analyses_where_nothing_is_said_needs_no_training():
    assert PRIORS[DEFAULT_PRIOR].analysis
    assert not PRIORS[DEFAULT_PRIOR].trained


def test_the_context_holds_the_season_and_the_kind_of_sea():
    context = context_of(torch.tensor([1, 7]), mixed=torch.tensor([False, True]))
    assert context.shape == (2, 6)
    assert context[:, -1].tolist() == [0.0, 1.0]
    assert float((context[0, :-1] - context[1, :-1]).abs().max()) > 1


def test_the_context_goes_round_with_the_year():
    months = context_of(torch.arange(1, 13))
    assert months.shape == (12, CONTEXT)
    # The sea is the observed one where nothing is said.
    assert not months[:, -1].any()
    # December is as near to January as any month to the next, and no two are the same.
    steps = (months - months.roll(-1, dims=0)).norm(dim=1)
    torch.testing.assert_close(steps, steps[:1].expand(12), atol=1e-4, rtol=0)
    assert len(torch.unique(months.round(decimals=4), dim=0)) == 12

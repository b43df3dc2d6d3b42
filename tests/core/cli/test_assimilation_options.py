"""Options of how to assimilate are the library's own."""

import pytest
import typer

from mlda_core.assimilation.options import OPTIONS
from mlda_core.cli.main import app


@pytest.mark.parametrize(
    ("command", "absent", "own_words"),
    [
        ("assimilate", set(), {"method"}),
        # Months of a store have no background of their own, and fewer methods and one prior.
        ("reanalyse", {"background_weight", "prior"}, {"method"}),
    ],
)
def test_help_and_defaults_are_those_of_the_library(command, absent, own_words):
    params = {p.name: p for p in typer.main.get_command(app).commands[command].params}
    assert OPTIONS.keys() - params.keys() == absent
    for name in OPTIONS.keys() - absent:
        assert params[name].default == OPTIONS[name].default, name
        assert name in own_words or params[name].help == OPTIONS[name].help, name

"""What a session changes of the sea: pure functions, JSON, the URL, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlda_core.climate.regions import REGIONS
from mlda_core.page_state import perturbations
from mlda_core.page_state.perturbations import (
    MOST_PATCHES,
    InvalidPerturbationError,
    PerturbationSettings,
)
from mlda_core.page_state.serialize import from_json, from_query, to_json, to_query
from mlda_core.page_state.settings import InvalidStateError
from mlda_core.page_state.snapshot import Limits, Snapshot
from mlda_core.perturbation.gfmip import protocol_patches
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

LIMITS = Limits("speedy", ("1997-11", "1997-12"), 4)
FULL = PerturbationSettings(
    patches=(
        Patch(2.0, region="nino34"),
        Patch(-1.5, box=(-10.0, 10.0, 350.0, 20.5), enabled=False),
        Patch(0.3, polygon=((40.0, 300.0), (50.5, 330.1), (30.0, 340.0))),
        Patch(1.0, region="globe"),
    ),
    held="outside",
    within=(-30.0, 30.0, 120.0, 290.0),
    view="response",
    per_kelvin=True,
    fade=False,
    gcm="nino34_plus2",
    variable="pr",
    over=(0.0, 20.0, 350.0, 10.0),
)


def test_the_first_visit_takes_an_el_nino_away():
    (patch,) = PerturbationSettings().patches
    assert patch.label == "Niño 3.4 \N{MINUS SIGN}2.0 K"
    assert PerturbationSettings().to_parts() == {}
    assert to_query(Snapshot("1997-12", tool="perturb")) == "month=1997-12&tool=perturb"


def test_link_and_file_carry_everything():
    snapshot = Snapshot("1997-12", tool="perturb", perturbations=FULL)
    query = to_query(snapshot)
    assert "sea=nino34:2,-10:10:350:20.5:-1.5:off,~" in query.replace("%7E", "~")
    assert from_query(query, LIMITS).perturbations == FULL
    assert from_json(to_json(snapshot, LIMITS), LIMITS).perturbations == FULL
    none = snapshot.replace(perturbations=PerturbationSettings(patches=(), selected=-1))
    assert from_query(to_query(none), LIMITS).perturbations.patches == ()
    assert from_json(to_json(none, LIMITS), LIMITS).perturbations.patches == ()


def test_a_link_with_a_long_lasso_is_short_enough():
    n = 400
    lat = [40 + 10 * (i % 7) / 7 for i in range(n)]
    lon = [200 + 60 * i / n for i in range(n // 2)] + [260 - 60 * i / n for i in range(n // 2)]
    patch = perturbations.lasso(lat, lon, 1.0)
    made = perturbations.add(PerturbationSettings(), patch)
    query = to_query(Snapshot("1997-12", perturbations=made))
    assert len(query) < 500
    assert from_query(query, LIMITS).perturbations.patches == made.patches


boxes = st.tuples(
    st.floats(-90, 0), st.floats(1, 90), st.floats(0, 359.9), st.floats(-360, 720)
).filter(lambda b: 1 < (b[3] - b[2]) % 360 < 359)
patches = st.one_of(
    st.builds(Patch, st.floats(-5, 5), st.sampled_from(sorted(REGIONS)), enabled=st.booleans()),
    st.builds(lambda k, b: Patch(k, box=b), st.floats(-5, 5), boxes),
)


@given(st.lists(patches, max_size=MOST_PATCHES))
def test_whatever_is_added_survives_a_link(several):
    made = PerturbationSettings(patches=(), selected=-1)
    for patch in several:
        made = perturbations.add(made, patch)
    back = PerturbationSettings.from_dict(PerturbationSettings.from_parts(made.to_parts()))
    assert back.replace(selected=made.selected) == made
    assert json.loads(json.dumps(perturbations.to_dict(made))) == perturbations.to_dict(made)


@pytest.mark.parametrize(
    ("query", "culprit"),
    [
        ("sea=atlantis:2", "atlantis"),
        ("sea=nino34", "damaged"),
        ("sea=nino34:warm", "warm"),
        ("sea=nino34:9", "−5 to 5"),
        ("sea=1:2:3:1", "damaged"),
        ("sea=10:-10:0:20:1", "north"),
        ("sea=a:10:0:20:1", "box"),
        ("sea=~!!:1", "damaged"),
        ("sea=~AAAAAA:1", "vertices"),
        ("sea=" + ",".join(["globe:1"] * 20), "20 times"),
        ("held=hands", "hands"),
        ("within=mars", "mars"),
        ("within=1:2", "south"),
        ("view=upside", "upside"),
        ("fade=2", "fade"),
        ("gcm=plus9", "plus9"),
        ("of=%3Cb%3E", "variable"),
        ("tool=perturbed", "perturbed"),
    ],
)
def test_a_bad_link_is_refused_in_one_sentence(query, culprit):
    with pytest.raises(InvalidStateError, match=culprit) as caught:
        from_query(query, LIMITS)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "culprit"),
    [
        (7, "damaged"),
        ({"patches": 7}, "damaged"),
        ({"patches": [7]}, "named values"),
        ({"patches": [{"kelvin": 1}]}, "exactly one"),
        ({"patches": [{"kelvin": "hot", "region": "globe"}]}, "hot"),
        ({"patches": [{"kelvin": 1, "file": "x.nc"}]}, "mlda perturb"),
        ({"patches": [{"kelvin": 1, "region": "globe", "colour": "red"}]}, "colour"),
        ({"held": None}, "None"),
        ({"selected": 1}, "selected"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(data, culprit):
    text = json.dumps(
        json.loads(to_json(Snapshot("1997-12"), LIMITS)) | {"perturbing": data},
    )
    with pytest.raises(InvalidStateError, match=culprit) as caught:
        from_json(text, LIMITS)
    assert str(caught.value).endswith(".")


def test_a_file_from_before_has_the_first_change():
    data = json.loads(to_json(Snapshot("1997-12"), LIMITS))
    del data["perturbing"]
    assert from_json(json.dumps(data), LIMITS).perturbations == PerturbationSettings()


def test_patches_are_edited_selected_and_deleted():
    made = perturbations.add(PerturbationSettings(), Patch(1.0, region="globe"))
    assert made.selected == 1
    made = perturbations.edit(made, 0, kelvin=-0.54321)
    assert (made.patches[0].kelvin, made.selected) == (-0.54, 0)
    made = perturbations.edit(made, 1, enabled=False)
    assert made.enabled == made.patches[:1]
    made = perturbations.delete(made, 1)
    assert made.selected == 0
    made = perturbations.delete(made, 0)
    assert (made.patches, made.selected) == ((), -1)
    for at in (0, -1, True, "0", None):
        with pytest.raises(InvalidPerturbationError, match="gone"):
            perturbations.delete(made, at)
    full = made.replace(patches=MOST_PATCHES * (Patch(1.0, region="globe"),))
    with pytest.raises(InvalidPerturbationError, match="already"):
        perturbations.add(full, Patch(1.0, region="globe"))


def test_a_lasso_round_nothing_is_refused():
    with pytest.raises((InvalidPerturbationError, PerturbationError)):
        perturbations.lasso([0.0, 0.0], [10.0, 20.0], 1.0)


def test_a_link_carries_every_patch_of_the_protocol_and_the_atlas():
    for protocol in protocol_patches():
        made = perturbations.add(PerturbationSettings(patches=()), protocol.patch(-2.0))
        made = made.replace(view="atlas", amplitude="-2", over="tropics")
        query = to_query(Snapshot("1997-12", tool="perturb", perturbations=made))
        assert "edge360:-2" in query
        again = from_query(query, LIMITS).perturbations
        assert again == made
        # As exact as a link, a patch is still shaped as the protocol says.
        (patch,) = again.patches
        assert patch.where.startswith("Hump round")
    with pytest.raises(InvalidStateError, match="taper"):
        from_query("tool=perturb&sea=-5:5:160:200:edge999:2", LIMITS)
    with pytest.raises(InvalidStateError, match="amount of the patches"):
        from_query("tool=perturb&amplitude=7", LIMITS)


def test_a_patch_that_is_opened_counts_alone_and_replaces_the_last_one():
    one, two = (patch.patch(2.0) for patch in protocol_patches()[:2])
    first = perturbations.open_alone(PerturbationSettings(view="atlas"), one)
    assert first.view == "response"
    assert [patch.enabled for patch in first.patches] == [False, True]
    assert first.selected == 1
    second = perturbations.open_alone(first.replace(view="atlas"), two)
    assert second.patches == (first.patches[0], two)
    full = PerturbationSettings(patches=tuple([Patch(1.0, region="nino34")] * MOST_PATCHES))
    with pytest.raises(InvalidPerturbationError, match="delete one"):
        perturbations.open_alone(full, one)

"""Impact heads in files."""

from __future__ import annotations

import json

import pytest

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import impact_names
from mlda_core.impact.files import fingerprint, load_impact, save_impact
from mlda_core.impact.head import ImpactError


def test_a_head_comes_back_from_its_folder(head, bundle, tmp_path):
    save_impact(head, bundle, tmp_path / "river")
    back = load_impact(tmp_path / "river", bundle)
    assert (back.name, back.title, back.units) == ("river", "A river", "m3/s")
    assert back.scores == head.scores
    i = back.record.row["1982-07"]
    assert back.record.splits[i] == "test"
    assert back.record.observed[i] == pytest.approx(head.record.observed[i], rel=1e-3)
    z = bundle.code("1982-07")
    made = back.predict(z, "1982-07")
    assert made.median == pytest.approx(head.predict(z, "1982-07").median, rel=1e-5)
    # What stands in the series is what the head says of the month's code.
    assert back.record.median[i] == pytest.approx(made.median[0], rel=1e-3)
    assert back.record.high[i] == pytest.approx(made.quantile(0.9)[0], rel=1e-3)


def test_a_bundle_knows_its_own_heads(head, bundle, tmp_path):
    assert impact_names(bundle.path) == ()
    save_impact(head, bundle, bundle.path / "impacts" / "river")
    try:
        assert bundle.impacts == ("river",)
        assert load_impact("river", bundle).title == "A river"
    finally:
        for file in (bundle.path / "impacts" / "river").iterdir():
            file.unlink()
        (bundle.path / "impacts" / "river").rmdir()
        (bundle.path / "impacts").rmdir()


def test_a_head_of_another_bundle_is_refused(head, bundle, tmp_path):
    save_impact(head, bundle, tmp_path / "river")
    other = load_bundle(bundle.path)
    other.config["checksums"]["weights.safetensors"] = "0" * 64
    assert fingerprint(other) != fingerprint(bundle)
    with pytest.raises(ImpactError, match=r"another bundle \(A small climate\)"):
        load_impact(tmp_path / "river", other)


def damage(folder, **changes):
    file = folder / "head.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_damaged_heads_get_one_sentence(head, bundle, tmp_path):
    cases = {
        "is damaged": lambda f: (f / "series.csv").write_text("month\n"),
        "lacks head.safetensors": lambda f: (f / "head.safetensors").unlink(),
        "does not describe an impact head": lambda f: (f / "head.json").write_text("{"),
        "has schema 9": lambda f: damage(f, schema_version=9),
        "does not fit together": lambda f: damage(f, n_used=3),
        "does not fit": lambda f: damage(f, centre=[1.0]),
        "has no head.json": lambda f: (f / "head.json").unlink(),
    }
    for i, (words, harm) in enumerate(cases.items()):
        folder = tmp_path / f"river{i}"
        save_impact(head, bundle, folder)
        harm(folder)
        with pytest.raises(ImpactError, match=words) as told:
            load_impact(folder, bundle)
        assert str(told.value).count("\n") == 0

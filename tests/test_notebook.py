"""The example notebooks run from top to bottom on the bundled model, and their words are true."""

import itertools
import re

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

FIGURES = {"explore_bundle": 4, "assimilate": 2, "perturb": 4}
HOLOVIEWS = "application/vnd.holoviews_exec.v0+json"


@pytest.fixture(scope="module")
def run(repo_root):
    """Return a notebook by name, executed once."""
    done = {}

    def executed(name):
        if name not in done:
            path = repo_root / "examples" / f"{name}.ipynb"
            client = NotebookClient(
                nbformat.read(path, as_version=4),
                timeout=200,
                kernel_name="python3",
                resources={"metadata": {"path": str(path.parent)}},
            )
            done[name] = client.execute()
        return done[name]

    return executed


@pytest.fixture
def explore(run):
    return run("explore_bundle")


@pytest.fixture
def assimilate(run):
    return run("assimilate")


@pytest.fixture
def perturb(run):
    return run("perturb")


@pytest.fixture(params=FIGURES)
def stored_cells(request, repo_root):
    path = repo_root / "examples" / f"{request.param}.ipynb"
    return nbformat.read(path, as_version=4).cells


def outputs(notebook, words):
    """Return the outputs of the one cell whose source holds some words."""
    (cell,) = (c for c in notebook.cells if c.cell_type == "code" and words in c.source)
    return cell.outputs


def text_of(found):
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in found)


def table_of(notebook, words):
    """Return the table that a cell shows last: its head, and numbers by the name of each row."""
    found = [o for o in outputs(notebook, words) if "text/plain" in o.get("data", {})]
    head, *lines = found[-1]["data"]["text/plain"].splitlines()
    rows = {line.split()[0]: list(map(float, line.split()[1:])) for line in lines}
    return head.split(), rows


@pytest.mark.parametrize("name", FIGURES)
def test_runs_and_draws_and_warns_of_nothing(run, name):
    found = [o for c in run(name).cells if c.cell_type == "code" for o in c.outputs]
    # Loading HoloViews shows something too, but is no cell's result.
    drawn = [
        o
        for o in found
        if "image/png" in o.get("data", {})
        or (o.output_type == "execute_result" and HOLOVIEWS in o.data)
    ]
    assert len(drawn) == FIGURES[name]
    assert not [o["text"] for o in found if o.get("name") == "stderr"]


def test_is_stored_without_outputs(stored_cells):
    """Outputs would go stale, and change with every run."""
    code = [c for c in stored_cells if c.cell_type == "code"]
    assert not [c.source for c in code if c.outputs]
    assert all(c.execution_count is None for c in code)


def test_each_code_cell_is_introduced(stored_cells):
    kinds = [c.cell_type for c in stored_cells]
    assert kinds[0] == "markdown"
    assert all({before, after} != {"code"} for before, after in itertools.pairwise(kinds))


def test_exploring_shows_a_month_held_out_and_units(explore):
    assert "test" in text_of(outputs(explore, "bundle.split("))
    assert "kg m-2 s-1" in text_of(outputs(explore, 'model["pr"]'))


def test_model_beats_climatology_for_every_variable(explore):
    (table,) = outputs(explore, "compare(left, right")
    rows = [line.split() for line in table["data"]["text/plain"].splitlines()[1:]]
    assert len(rows) == 4
    assert all(float(row[-1]) > 0 for row in rows)


def test_the_outcome_is_in_words_and_a_fifth_is_withheld(assimilate):
    assert "40 of 200" in text_of(outputs(assimilate, 'observations["withheld"] ='))
    assert "converged" in text_of(outputs(assimilate, "analysis.outcome"))


def test_analyses_beat_climatology_where_nothing_was_observed(assimilate):
    head, rows = table_of(assimilate, 'scores.table("explained_variance")')
    assert head == ["psl", "tos", "tas", "pr"]
    for method in ("vae", "eof", "enoi"):
        assert min(rows[method]) > 0.2, method
    assert rows["climatology"] == [0.0] * 4
    _, withheld = table_of(assimilate, '"withheld")[["psl", "tas"]]')
    assert all(withheld["vae"][i] < withheld["climatology"][i] for i in (0, 1))


def test_later_ages_see_more(assimilate):
    _, rows = table_of(assimilate, '"historical"')
    for column in (0, 3):
        assert rows["1870"][column] < rows["1900"][column] < rows["1960"][column]


def test_rows_that_cannot_be_used_are_told(assimilate):
    said = text_of(outputs(assimilate, "mine, rejected, notes = read_observations("))
    assert "Row 4: there is no sea surface temperature" in said
    assert "Row 5: an anomaly of" in said
    assert "Row 1" not in said


def test_what_is_held_decides_the_response(perturb):
    head, rows = table_of(perturb, "held_table =")
    assert head == ["rain", "air", "pressure", "afar"]
    free, pressure, outside = (rows[k] for k in ("sst_only", "sst_and_pressure", "outside"))
    assert free[0] > 0.5
    assert free[2] < -0.3
    assert max(pressure[3], outside[3]) < 0.5 * free[3]


def test_the_gradient_foretells_a_small_response(perturb):
    said = text_of(outputs(perturb, "by_gradient =")).replace(",", "").split()
    gradient, analyses = float(said[1]), float(said[4])
    assert gradient == pytest.approx(analyses, rel=0.1)


def test_drivers_add_up(perturb):
    said = text_of(outputs(perturb, "account = drivers("))
    found = re.findall(r"[+-]\d+\.\d+", said)[:4]
    value, *parts = map(float, found)
    assert value == pytest.approx(sum(parts), abs=0.03)


def test_the_response_looks_like_the_gcms(perturb):
    said = text_of(outputs(perturb, "agreement ="))
    by_name = dict(line.split() for line in said.splitlines()[:3])
    assert list(by_name) == ["psl", "tas", "pr"]
    assert all(float(value) > 0.5 for value in by_name.values())

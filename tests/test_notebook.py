"""The example notebook runs from top to bottom on the bundled model."""

import itertools

import nbformat
import pytest
from nbclient import NotebookClient


@pytest.fixture(scope="module")
def notebook_path(repo_root):
    return repo_root / "examples" / "explore_bundle.ipynb"


@pytest.fixture(scope="module")
def executed(notebook_path):
    notebook = nbformat.read(notebook_path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(notebook_path.parent)}},
    )
    return client.execute()


def outputs(notebook, words):
    """Return the outputs of the one cell whose source holds some words."""
    (cell,) = (c for c in notebook.cells if c.cell_type == "code" and words in c.source)
    return cell.outputs


def text_of(found):
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in found)


def test_runs_and_draws(executed):
    figures = [
        output
        for cell in executed.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(figures) == 4


def test_warns_of_nothing(executed):
    stderr = [
        output["text"]
        for cell in executed.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.get("name") == "stderr"
    ]
    assert not stderr


def test_shows_a_month_held_out_and_units(executed):
    assert "test" in text_of(outputs(executed, "bundle.split("))
    assert "kg m-2 s-1" in text_of(outputs(executed, 'model["pr"]'))


def test_model_beats_climatology_for_every_variable(executed):
    (table,) = outputs(executed, "compare(left, right")
    rows = [line.split() for line in table["data"]["text/plain"].splitlines()[1:]]
    assert len(rows) == 4
    assert all(float(row[-1]) > 0 for row in rows)


def test_is_stored_without_outputs(notebook_path):
    """Outputs would go stale, and change with every run."""
    cells = nbformat.read(notebook_path, as_version=4).cells
    assert not [c.source for c in cells if c.cell_type == "code" and c.outputs]
    assert all(c.execution_count is None for c in cells if c.cell_type == "code")


def test_each_code_cell_is_introduced(notebook_path):
    kinds = [c.cell_type for c in nbformat.read(notebook_path, as_version=4).cells]
    assert kinds[0] == "markdown"
    assert all({before, after} != {"code"} for before, after in itertools.pairwise(kinds))

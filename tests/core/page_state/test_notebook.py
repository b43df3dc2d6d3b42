"""A state as a notebook."""

import nbformat
import pytest
from nbclient import NotebookClient

from mlda_core.page_state.notebook import notebook_of
from mlda_core.page_state.opened import from_link


def opened(state):
    notebook = nbformat.reads(notebook_of(state), as_version=4)
    nbformat.validate(notebook)
    return notebook


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("stations=10", "analysis.plot()"),
        ("tool=perturb", "response.plot()"),
        ("tool=explore&model=code", "state_maps(bundle, columns)"),
    ],
)
def test_it_is_a_valid_notebook_with_program_pictures_and_scores(speedy, query, words):
    notebook = opened(from_link(f"?month=1997-12&{query}", speedy))
    sources = [cell.source for cell in notebook.cells]
    assert sources[0].startswith("# 1997-12")
    assert "load_bundle" in sources[1]
    assert words in "\n".join(sources)
    assert "?month=1997-12" in sources[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "scores"),
    [("stations=10&method=eof", "climatology"), ("tool=explore&model=code", "Comparison")],
)
def test_it_runs_from_top_to_bottom(world, query, scores, tmp_path):
    notebook = opened(from_link(f"?month={world.months[-1]}&{query}", world))
    client = NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    done = client.execute()
    shown = [output for cell in done.cells for output in cell.get("outputs", ())]
    assert any(scores in str(output) for output in shown)
    assert any("holoviews" in str(output) for output in shown)


@pytest.mark.slow
def test_that_of_a_cycle_runs(cycled, tmp_path):
    query = "?tool=cycle&cycle_from=1984-03-01&month=1984-03-02&cycle_stations=30"
    notebook = opened(from_link(query, cycled))
    client = NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    done = client.execute()
    # The last cell says the command line for it; the days are what the last code shows.
    outputs = [cell.outputs for cell in done.cells if cell.cell_type == "code"]
    assert "1984-03-02" in str(outputs[-1])

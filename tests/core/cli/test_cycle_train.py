"""``mlda cycle train``, on a small climate of days."""

import pytest
import xarray as xr
from commands import mlda, refusal
from days import TOML, make_daily


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors")
    make_daily(folder)
    (folder / "days.toml").write_text(TOML)
    return folder


def run(folder, *words, out):
    return mlda(
        *("cycle", "run", "made", "--config", "days.toml", "--model", "persistence"),
        *("--stations", "12", "--from", "1984-01-01", "--to", "1984-01-20", "--out", out, *words),
        cwd=folder,
    )


@pytest.mark.slow
def test_learnt_errors_and_a_prior_of_their_codes_are_used_by_vae_var(workplace):
    done = mlda(
        *("cycle", "train", "made", "--config", "days.toml", "--model", "persistence"),
        *("--stations", "12", "--rounds", "1", "--run", "errors", "--prior", "flow"),
        *("--out", "models.safetensors"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "epoch 5/5: explained 0." in done.stdout
    assert "flow prior: loss over held-out errors" in done.stdout
    words = ("--method", "vae-var", "--errors", "models.safetensors")
    done = run(workplace, *words, out="learnt.nc")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(workplace / "learnt.nc") as made:
        assert "--errors models.safetensors" in made.attrs["history"]
        assert float(made["psl"].isnull().sum()) == 0
    words = ("--method", "vae-var-flow", "--errors", "models.safetensors")
    done = run(workplace, *words, out="flow.nc")
    assert done.returncode == 0, done.stderr
    words = ("--method", "vae-var-diffusion", "--errors", "models.safetensors")
    said = refusal(run(workplace, *words, out="diffusion.nc"))
    assert "no diffusion prior of their codes" in said
    assert "mlda cycle train --prior diffusion" in said


def test_a_prior_that_is_none_is_refused_before_anything_is_read(workplace):
    words = ("cycle", "train", "made", "--config", "days.toml", "--out", "none.safetensors")
    assert "nothing to be trained" in refusal(mlda(*words, "--prior", "gaussian", cwd=workplace))
    assert "no prior 'flaw'" in refusal(mlda(*words, "--prior", "flaw", cwd=workplace))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--errors", "days.toml"), "holds no learnt models of forecast errors"),
        (("--method", "vae-var"), "needs a learnt model of forecast errors"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(workplace, words, said):
    done = run(workplace, *words, out="none.nc")
    assert said in refusal(done)
    assert not (workplace / "none.nc").exists()

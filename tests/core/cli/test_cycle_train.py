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
def test_learnt_errors_are_used_by_vae_var(workplace):
    done = mlda(
        *("cycle", "train", "made", "--config", "days.toml", "--model", "persistence"),
        *("--stations", "12", "--rounds", "1", "--run", "errors", "--out", "models.safetensors"),
        cwd=workplace,
    )
    assert done.returncode == 0, done.stderr
    assert "epoch 5/5: explained 0." in done.stdout
    words = ("--method", "vae-var", "--errors", "models.safetensors")
    done = run(workplace, *words, out="learnt.nc")
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(workplace / "learnt.nc") as made:
        assert "--errors models.safetensors" in made.attrs["history"]
        assert float(made["psl"].isnull().sum()) == 0


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

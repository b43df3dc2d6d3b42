"""The README's numbers are the bundle's."""

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_scores_in_the_readme_are_those_of_the_bundle(repo_root):
    done = subprocess.run(
        [sys.executable, repo_root / "tools" / "readme_scores.py", "--check"], check=False
    )
    assert done.returncode == 0, "run: python tools/readme_scores.py"

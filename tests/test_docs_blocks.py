"""What the documentation shows of a shell is a command that there is, and the quick ones are run.

Blocks of Python are run by test_docs.py, which also reads the commands within sentences.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mlda_core.cli import main as cli

ROOT = Path(__file__).resolve().parents[1]
# What `make docs` writes is left out.
WRITTEN = {"_build", "generated", "api", "modules", "command-line.md"}
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not WRITTEN & set(path.relative_to(ROOT).parts)
)
# Programs that a block may call beside ours: what they do is not ours to test.
OTHERS = {"pip", "conda", "source", "panel", "dask", "sphinx-build", ".venv/bin/pip", "git", "cd"}
# Commands that take seconds, in the order of their page; each page in a folder of its own.
RUN = {
    "README.md": ["mlda assimilate "],
    "docs/first-steps.md": ["mlda info ", "mlda assimilate ", "mlda perturb "],
    "docs/assimilation.md": [
        "mlda assimilate BUNDLE --obs FILE.csv",
        "mlda assimilate BUNDLE --obs FILE.nc",
    ],
    "docs/perturbation.md": [
        "mlda perturb ",
        "mlda attribute BUNDLE --variable pr --region nino34 --drivers",
    ],
    "docs/impact.md": ["mlda impact predict "],
}
# What stands for the reader's own.
OWN = {"BUNDLE": "assets/bundles/speedy", "YYYY-MM": "1997-12"}
TABLE = "variable,lat,lon,value\npsl,65,-20,-9\ntas,50,10,1.5\n"


def lines_of(text):
    """Return the commands of a page's blocks: indented by four, or fenced as a shell's."""
    fenced = re.findall(
        r"^```(?:bash|console|sh|text)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    bare = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = re.findall(r"(?:^|(?<=\n)) {4}(\S.*(?:\\\n.*)*)", bare)
    for block in fenced:
        lines += re.findall(r"^(?:\$ )?(\S.*(?:\\\n.*)*)", block, re.MULTILINE)
    found = []
    for line in lines:
        plain = re.sub(r"\s#.*", "", line.replace("\\\n", " ")).strip()
        found += [part.strip() for part in plain.split("&&")]
    programs = {"mlda", "make", "python", *OTHERS}
    return [line for line in found if program_of(line) in programs]


def program_of(line):
    """Return the program that a line calls, past what it sets in the environment."""
    words = line.split()
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    return words[0] if words else ""


LINES = [
    (path.relative_to(ROOT).as_posix(), line)
    for path in PAGES
    for line in lines_of(path.read_text())
]


def shown(program):
    return [pytest.param(n, x, id=f"{n}: {x}") for n, x in LINES if program_of(x) == program]


# Made once: typer makes it anew from its declarations at each call.
COMMAND = typer.main.get_command(cli.app)


def parse(line):
    """Parse a whole command as the program does, and run nothing."""
    command, (name, *rest) = COMMAND, shlex.split(line)
    while hasattr(command, "commands"):
        name, *rest = rest
        command = command.commands[name]
    return command.make_context(name, rest)


@pytest.mark.parametrize(("page", "line"), shown("mlda"))
def test_a_command_parses(page, line):
    parse(line)


@pytest.mark.parametrize(
    "line",
    [
        "mlda assimilate BUNDLE --observations FILE.csv --out FILE.nc",
        "mlda assimilate BUNDLE --obs FILE.csv",
        "mlda train",
        "mlda perturb BUNDLE --sst nino34:+2K --out x.nc --threads many",
    ],
)
def test_a_wrong_command_does_not(line):
    # By its name: typer brings a click of its own.
    with pytest.raises(Exception, match=r"Missing|No such option|valid integer") as wrong:
        parse(line)
    assert "UsageError" in {kind.__name__ for kind in type(wrong.value).__mro__}


@pytest.mark.parametrize(("page", "line"), shown("make"))
def test_a_target_of_make_is_there(page, line, repo_root):
    words = shlex.split(line)
    while words[0] != "make":
        words.pop(0)
    done = subprocess.run(
        ["make", "--dry-run", *words[1:]],
        cwd=repo_root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("page", "line"), shown("python"))
def test_a_script_is_there(page, line, repo_root):
    script = shlex.split(line)[1]
    assert script == "-m" or (repo_root / script).is_file()


def test_the_pages_show_commands_of_each_kind():
    """Or nothing of them would be looked at."""
    assert len(shown("mlda")) > 60
    assert len(shown("make")) >= 4
    assert len(shown("python")) >= 4


def quick(page):
    """Return the lines of a page that are run."""
    found = [x for n, x in LINES if n == page and any(x.startswith(head) for head in RUN[page])]
    assert len(found) >= len(RUN[page]), "a line of RUN is shown no more"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_quick_commands_run(page, repo_root, tmp_path, monkeypatch):
    (tmp_path / "assets").symlink_to(repo_root / "assets")
    for name in ("mine.csv", "FILE.csv"):
        (tmp_path / name).write_text(TABLE)
    monkeypatch.chdir(tmp_path)
    for line in quick(page):
        words = [OWN.get(word, word) for word in shlex.split(line)[1:]]
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, f"{line}\n{done.stderr}"
        if "--out" in words:
            assert (tmp_path / words[words.index("--out") + 1]).is_file(), line

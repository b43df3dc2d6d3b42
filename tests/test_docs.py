"""The documentation builds without a warning, and what it names is there."""

import ast
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

import mlda_core

ROOT = Path(__file__).resolve().parents[1]
# What `make docs` writes is no source.
WRITTEN = {"_build", "generated", "api", "modules", "command-line.md"}
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if not WRITTEN & set(path.relative_to(ROOT).parts)
)
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
# Files that only exist after a command has run, or on another machine.
_ELSEWHERE = ("runs/", "path/to/", "downloads/")


def blocks(text, language):
    """Return the fenced code blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


WITH_PYTHON = [n for n, p in zip(NAMES, PAGES, strict=True) if blocks(p.read_text(), "python")]


class Links(HTMLParser):
    """The links and ids of a page, and what it loads."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids = [], [], set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found["id"]} if found.get("id") else set()
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") in {"stylesheet", "preload", "icon"}:
            self.loaded.append(found["href"])
        elif tag in {"script", "img", "iframe", "source"} and found.get("src"):
            self.loaded.append(found["src"])


# The build counts for the first test that needs it: a minute and a half on an idle machine, more
# than five on a busy one.
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def site(repo_root, tmp_path_factory):
    """The built site; a warning fails the build."""
    target = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"),
            *("-d", target / "trees", repo_root / "docs", target / "html"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=repo_root,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return target / "html"


def html_of(site):
    """Return the pages of the site; the theme leaves a template among its own files."""
    return [path for path in site.rglob("*.html") if "_static" not in path.parts]


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(site):
    pages = {path: Links(path) for path in html_of(site)}
    assert len(pages) > 100
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                broken.append((path.name, link))
                continue
            ids = pages[target].ids if target in pages else {unquote(parts.fragment)}
            if parts.fragment and unquote(parts.fragment) not in ids:
                broken.append((path.name, link))
    assert not broken


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site):
    for path in html_of(site):
        guilty = [u for u in Links(path).loaded if urlsplit(u).netloc]
        assert not guilty, path.name
    for path in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text()), path


@pytest.mark.slow
def test_the_reference_has_every_public_name_and_command(site):
    reference = (site / "reference" / "index.html").read_text()
    assert not [name for name in mlda_core.__all__ if name not in reference]
    commands = Links(site / "reference" / "command-line.html").ids
    for name in ("mlda-assimilate", "mlda-data-prepare", "mlda-impact-train"):
        assert name in commands


@pytest.mark.slow
def test_the_import_graphs_are_drawn(site):
    (picture,) = site.rglob("mlda_core.svg")
    text = picture.read_text()
    for folder in ("climate", "assimilation", "cli"):
        assert f">{folder}</text>" in text


@pytest.mark.slow
@pytest.mark.parametrize("page", WITH_PYTHON)
def test_python_blocks_run(page, repo_root, tmp_path, monkeypatch):
    """All blocks of a page as one program, where the repository's folders are."""
    program = "\n".join(blocks((repo_root / page).read_text(), "python"))
    assert program
    (tmp_path / "assets").symlink_to(repo_root / "assets")
    # A reader's own file.
    (tmp_path / "mine.csv").write_text("variable,lat,lon,value\npsl,65,-20,-9\ntas,50,10,1.5\n")
    if "mlda_core.plotting" not in program:
        # In this process, which has torch loaded: 4 s less each.
        monkeypatch.chdir(tmp_path)
        exec(compile(program, page, "exec"), {"__name__": "__main__"})  # noqa: S102
        return
    # What draws leaves its backend behind: in a process of its own.
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(repo_root)!r})\n{program}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", NAMES)
def test_files_that_are_named_exist(page, repo_root):
    """A path in code type, such as `app/session.py`, is one of the repository."""
    text = (repo_root / page).read_text()
    tops = "app|assets|benchmarks|configs|docs|examples|mlda_core|tests|tools"
    named = set(re.findall(rf"`((?:{tops})/[\w./-]+)`", text))
    missing = [n for n in named if not (repo_root / n).exists() and not n.startswith(_ELSEWHERE)]
    # What a page tells the reader to write.
    missing = [n for n in missing if "NAME" not in n and not n.startswith("docs/_build")]
    assert not missing


@pytest.mark.parametrize("page", NAMES)
def test_modules_that_are_named_exist(page, repo_root):
    """`mlda_core.climate.grid` is a module, or a name that one defines."""
    missing = []
    for name in set(re.findall(r"`((?:mlda_core|app)(?:\.\w+)+)`", (repo_root / page).read_text())):
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            path = repo_root.joinpath(*parts[:length])
            module = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            if module.is_file():
                break
        rest = parts[length:]
        defined = _defined(module) | set(mlda_core.__all__ if module.parent == path else ())
        if rest and rest[0] not in defined:
            missing.append(name)
    assert not missing


def _defined(module):
    """Return the names that a module's top level defines or imports."""
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    return found


@pytest.fixture(scope="module")
def command_line():
    import typer

    from mlda_core.cli.main import app

    return typer.main.get_command(app)


def commands_of(text):
    """Return the words of each `mlda` command in a code block or in code type."""
    code = re.findall(r"^(?: {4,}|\$ )(?:python -m )?(mlda .*(?:\\\n.*)*)", text, re.MULTILINE)
    code += re.findall(r"`(mlda [^`]+)`", text)
    for block in re.findall(
        r"^```(?:bash|console|text)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        code += re.findall(r"^(?:\$ )?(mlda .*(?:\\\n.*)*)", block, re.MULTILINE)
    return [line.replace("\\\n", " ").partition(" #")[0].split() for line in code]


@pytest.mark.parametrize("page", NAMES)
def test_commands_and_options_that_are_named_exist(page, repo_root, command_line):
    wrong = []
    for words in commands_of((repo_root / page).read_text()):
        command, at = command_line, 1
        while at < len(words) and words[at] in getattr(command, "commands", {}):
            command = command.commands[words[at]]
            at += 1
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
        if command is command_line and at < len(words) and words[at].isalpha():
            wrong.append(" ".join(words))
        said = [word.partition("=")[0].strip("`,.;") for word in words[at:]]
        wrong += [
            f"{' '.join(words[:at])}: {word}"
            for word in said
            if word.startswith("--") and word not in options
        ]
    assert not wrong


def test_the_check_of_commands_sees_a_wrong_one(command_line):
    (words,) = commands_of("see\n\n    mlda assimilate BUNDLE --observations x.csv\n")
    options = {o for p in command_line.commands[words[1]].params for o in p.opts}
    assert "--observations" not in options
    assert "--obs" in options


def test_the_citation_is_of_this_version(repo_root):
    cited = yaml.safe_load((repo_root / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["version"] == mlda_core.__version__
    project = tomllib.loads((repo_root / "pyproject.toml").read_text())["project"]
    assert cited["license"] == project["license"]


def test_the_decisions_are_numbered_and_listed(repo_root):
    folder = repo_root / "docs" / "decisions"
    pages = sorted(path.stem for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))
    listed = re.findall(r"^(\d{4}-[\w-]+)$", (folder / "index.md").read_text(), re.MULTILINE)
    assert listed == pages
    for name in pages:
        text = (folder / f"{name}.md").read_text()
        headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
        assert headings == ["Context", "Measured", "Chosen", "Given up"], name


def test_hooks_before_a_commit_run_what_lint_runs(repo_root):
    hooks = yaml.safe_load((repo_root / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    assert [hook["id"] for hook in hooks[0]["hooks"]] == ["ruff-check", "ruff-format", "mypy"]

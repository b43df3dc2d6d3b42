"""Who may import whom, and what no file may do.

The core knows nothing of the page, the page's pure part nothing of the libraries that draw, and the
views nothing of torch. Nothing unpickles, and nothing evaluates text.
"""

import ast
import functools
import subprocess
import sys

import pytest

# What draws pictures for notebooks and papers; the rest of the core asks for it at a call only.
PLOTTING = "mlda_core.plotting"
DRAWS_ELEMENTS = {"holoviews", "geoviews", "datashader", "param"}
# Settings of the page are declared once, as Param classes; Param draws nothing.
PAGE_STATE = "page_state"
DECLARES = {"param"}
ASK_FOR_PICTURES = {
    "mlda_core.assimilation.analysis",
    "mlda_core.perturbation.response",
    "mlda_core.cli.export_site",
    "mlda_core.cli.film",
}
UI = {"panel", "bokeh", "holoviews", "geoviews", "datashader", "param", "pyviz_comms", "app"}
DRAWING = {"panel", "bokeh", "holoviews", "geoviews"}
# The rooms of both packages, the lowest first: each imports of itself and of those below it.
LAYERS = {
    "mlda_core": (
        *("assets", "climate", "sources", "vae", "bundle", "observations", "assimilation"),
        *("forecast", "cycling", "perturbation", "impact", "evaluation", "reanalysis"),
        *("simulate", "page_state", "plotting", "cli"),
    ),
    "app": (
        *(
            "web_files",
            "glossary",
            "about",
            "in_notebook",
            "text",
            "state",
            "maps",
            "charts",
            "widgets",
            "components",
            "context",
        ),
        *("jobs", "tools", "results", "bundles", "timeline", "guide", "ideas"),
        *("bundle_menu", "warm_up", "downloads", "continue_in_python", "share", "learn"),
        *("session", "page", "main", "app_hooks"),
    ),
}
NAMESAKES_IN = {"mlda_core": "tests/core", "app": "tests/app"}
# Modules without a test file of their name, and why.
NO_NAMESAKE = {
    # Declare what others hold to, with no logic of their own.
    "mlda_core/observations/options.py",
    "mlda_core/observations/reading.py",
    # Needs JAX, in an environment of its own: tests/simulate/test_gcm.py.
    "mlda_core/simulate/gcm.py",
    # Only an entry point: tests/app/test_page.py and tests/browser open it.
    "app/main.py",
}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def python_files(*folders):
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    assert files, f"no Python file in {folders}"
    return files


@functools.cache
def nodes_of(source):
    """Return the nodes of a source text; most texts are asked for by several tests."""
    return tuple(ast.walk(ast.parse(source)))


@functools.cache
def imported_modules(source):
    """Return the dotted names that a source text imports, at any depth in the file."""
    found = set()
    for node in nodes_of(source):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and called_name(node) in {
            "__import__",
            "import_module",
            "importlib.import_module",
        }:
            found |= {a.value for a in node.args if isinstance(a, ast.Constant)}
    return frozenset(found)


def called_name(call):
    """Return the dotted name of what a call calls, '' where it is no plain name."""
    parts, node = [], call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
        return ".".join(reversed(parts))
    return ""


def tops(modules):
    return {module.partition(".")[0] for module in modules}


def forbidden_calls(source):
    """Return the calls of a source text that could run what a file or a user says."""
    bad = []
    for node in nodes_of(source):
        if not isinstance(node, ast.Call):
            continue
        name = called_name(node)
        keywords = {k.arg: k.value for k in node.keywords}
        if name in {"eval", "exec", "builtins.eval", "builtins.exec"}:
            bad.append(name)
        if name.endswith("torch.load") or name == "torch.load":
            only = keywords.get("weights_only")
            if not (isinstance(only, ast.Constant) and only.value is True):
                bad.append("torch.load without weights_only=True")
        pickle = keywords.get("allow_pickle")
        # A variable could be true: only the word False will do, unless nothing is said.
        if pickle is not None and not (isinstance(pickle, ast.Constant) and pickle.value is False):
            bad.append(f"{name} with allow_pickle")
        if name.endswith(("read_pickle", "to_pickle")):
            bad.append(name)
    return bad


@pytest.mark.slow
def test_core_imports_nothing_of_the_page(repo_root):
    guilty = {}
    for path in python_files(repo_root / "mlda_core"):
        allowed = {
            "plotting": DRAWS_ELEMENTS,
            # A page without a server is a document of Bokeh's.
            "site": DRAWS_ELEMENTS | {"bokeh"},
            PAGE_STATE: DECLARES,
        }.get(path.parent.name, set())
        if found := tops(imported_modules(path.read_text())) & (UI - allowed):
            guilty[path.name] = found
    assert not guilty


def imports_at_once(source):
    """Return the dotted names that a source text imports when it is imported itself."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return imported_modules(ast.unparse(tree))


@pytest.mark.slow
def test_few_ask_for_pictures_and_only_when_called(repo_root):
    def ask(modules):
        return any(name == PLOTTING or name.startswith(f"{PLOTTING}.") for name in modules)

    asking = {}
    for path in python_files(repo_root / "mlda_core"):
        name = ".".join(path.relative_to(repo_root).with_suffix("").parts)
        source = path.read_text()
        if "plotting" not in path.parts and ask(imported_modules(source)):
            asking[name] = ask(imports_at_once(source))
    assert asking == dict.fromkeys(ASK_FOR_PICTURES, False)


def import_behind_a_wall(modules, forbidden, repo_root):
    """Import modules in a process of their own where the forbidden packages cannot be had."""
    program = f"""
import importlib, sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {sorted(forbidden)!r}:
            raise ImportError(f"nothing here may import {{name}}")

sys.meta_path.insert(0, Wall())
for module in {modules!r}:
    importlib.import_module(module)
"""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=repo_root, check=False
    )


@pytest.mark.slow
def test_core_runs_without_the_page(repo_root):
    modules = [
        ".".join(path.relative_to(repo_root).with_suffix("").parts).removesuffix(".__init__")
        for path in python_files(repo_root / "mlda_core")
        if path.name != "__main__.py" and "plotting" not in path.parts
    ]
    done = import_behind_a_wall(modules, UI - DECLARES, repo_root)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_frames_and_state_run_without_what_draws_and_without_torch(repo_root):
    modules = ["app.maps.frames", "app.state", "mlda_core.page_state.serialize"]
    done = import_behind_a_wall(modules, DRAWING | {"torch"}, repo_root)
    assert done.returncode == 0, done.stderr


def test_the_wall_stops_an_import(repo_root):
    done = import_behind_a_wall(["panel"], DRAWING, repo_root)
    assert done.returncode != 0
    assert "nothing here may import panel" in done.stderr


def test_frames_are_pure(repo_root):
    path = repo_root / "app" / "maps" / "frames.py"
    assert not tops(imported_modules(path.read_text())) & DRAWING


def modules_of(package, repo_root):
    """Return the dotted names of a package's modules and what each imports of the package.

    Imports for type checkers count: a circle that a guard hides is still one. The two methods that
    ask for pictures when they are called do not.
    """
    files = {
        ".".join(path.relative_to(repo_root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in python_files(repo_root / package)
    }
    return {
        name: {m for m in imported_modules(path.read_text()) if m in files}
        - {name, *([PLOTTING] if name in ASK_FOR_PICTURES else [])}
        for name, path in files.items()
    }


def upward(graph, layers):
    """Return the imports of a graph that do not go from a room to itself or to a lower one."""
    level = {room: i for i, room in enumerate(layers)}
    rooms = {name.split(".")[1] for name in graph if "." in name}
    assert rooms <= set(layers), f"in no layer: {rooms - set(layers)}"
    return {
        f"{name} imports {other}"
        for name, others in graph.items()
        for other in others
        if "." in name and "." in other and level[other.split(".")[1]] > level[name.split(".")[1]]
    }


def circles(graph):
    """Return the groups of modules that import each other, directly or by others."""
    reached = {name: reachable(graph, name) for name in graph}
    return {
        frozenset(other for other in reached[name] if name in reached[other])
        for name in graph
        if name in reached[name]
    }


def reachable(graph, name):
    """Return what a module imports, directly or by others."""
    reached, ahead = set(), [name]
    while ahead:
        for other in graph[ahead.pop()] - reached:
            reached.add(other)
            ahead.append(other)
    return reached


@pytest.mark.parametrize(("package", "layers"), LAYERS.items())
def test_no_import_runs_upwards(repo_root, package, layers):
    assert not upward(modules_of(package, repo_root), layers)


@pytest.mark.parametrize("package", LAYERS)
def test_no_modules_import_each_other(repo_root, package):
    graph = modules_of(package, repo_root)
    assert not circles(graph)


def test_the_guard_sees_upward_imports_and_circles():
    graph = {
        "p": {"p.low.a"},
        "p.low.a": {"p.low.b"},
        "p.low.b": {"p.high.c"},
        "p.high.c": {"p.low.a"},
        "p.high.d": {"p.high.c"},
    }
    assert upward(graph, ("low", "high")) == {"p.low.b imports p.high.c"}
    assert circles(graph) == {frozenset({"p.low.a", "p.low.b", "p.high.c"})}


def lacking_namesakes(repo_root):
    """Return the modules that have no test file of their name in the mirrored folder."""
    lacking = set()
    for package, mirror in NAMESAKES_IN.items():
        for path in python_files(repo_root / package):
            inside = path.relative_to(repo_root / package)
            namesake = repo_root / mirror / inside.with_name(f"test_{inside.name}")
            if path.name not in {"__init__.py", "__main__.py"} and not namesake.is_file():
                lacking.add(path.relative_to(repo_root).as_posix())
    return lacking


def test_each_module_has_a_test_of_its_name(repo_root):
    lacking = lacking_namesakes(repo_root)
    assert not lacking - NO_NAMESAKE, "write tests/.../test_<module>.py for these"
    assert not NO_NAMESAKE - lacking, "these have one, or are gone: take them off NO_NAMESAKE"


def test_what_draws_knows_nothing_of_torch(repo_root):
    guilty = {
        path.name
        for path in python_files(repo_root / "app")
        if "torch" in tops(imported_modules(path.read_text()))
    }
    # These start and bound the decoder's threads; whatever draws has no business with torch.
    assert guilty <= {"warm_up.py"}


@pytest.mark.slow
def test_nothing_unpickles_or_evaluates(repo_root):
    folders = [repo_root / name for name in ("mlda_core", "app", "tools", "benchmarks")]
    guilty = {}
    for path in python_files(*(f for f in folders if f.is_dir())):
        source = path.read_text()
        found = [*(tops(imported_modules(source)) & UNPICKLERS), *forbidden_calls(source)]
        if found:
            guilty[path.name] = found
    assert not guilty


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import panel as pn", {"panel"}),
        ("from bokeh.models import Range1d", {"bokeh.models", "bokeh.models.Range1d"}),
        ("def f():\n    import torch.nn", {"torch.nn"}),
        ("import importlib\nimportlib.import_module('holoviews')", {"importlib", "holoviews"}),
    ],
)
def test_the_guard_sees_imports(source, modules):
    assert imported_modules(source) == modules


@pytest.mark.parametrize(
    "source",
    [
        "eval(text)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "pd.read_pickle(path)",
    ],
)
def test_the_guard_sees_dangerous_calls(source):
    assert forbidden_calls(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "ast.literal_eval(text)",
    ],
)
def test_the_guard_lets_harmless_calls_pass(source):
    assert not forbidden_calls(source)

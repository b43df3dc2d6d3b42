# make serve | test | test-fast | lint | docs | train | bench | clean: each does its own set-up.
#
# PORT=5006       where `make serve` listens
# HOST=0.0.0.0    serve to other machines too: it says by which addresses (HOST_NAME=... for one more)
# PYTHON=...      the Python that .venv is made from (3.11 or newer; found by itself)
# TORCH_INDEX=... another package index for PyTorch, such as its CPU-only or a CUDA one
# ARGS=...        more arguments for panel, pytest, `mlda train` or the benchmark

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PORT ?= 5006
HOST ?= localhost
HOST_NAME ?=
TORCH_INDEX ?=
CONFIG ?= configs/speedy.toml
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Stamps live inside the environment, so that deleting it deletes them.
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INSTALLED_SIMULATE := $(VENV)/simulate/.installed
# setuptools warns at length about every editable install.
INSTALL_EDITABLE := PYTHONWARNINGS=ignore $(PIP) install --quiet --constraint constraints.txt --no-build-isolation --editable

.PHONY: help install serve test test-fast test-js lint lint-js format docs docs-linkcheck gallery train bench bench-load bench-assimilation bench-reanalyse bench-gcm test-simulate clean

help:
	@echo "make serve   the dashboard on http://localhost:$(PORT)/app"
	@echo "make test    all tests, those in a browser included"
	@echo "make test-fast   those that need no browser and are quick: in two or three minutes"
	@echo "make lint    ruff and mypy, and where npm is there biome and tsc"
	@echo "make docs    the documentation site, in docs/_build/html"
	@echo "make docs-linkcheck   whether the links to other sites lead somewhere"
	@echo "make gallery   draw the pictures of docs/gallery.md anew"
	@echo "make train   train the model of CONFIG ($(CONFIG))"
	@echo "make bench   time a slider from event to pixels"
	@echo "make bench-load   what many visitors at once wait for"
	@echo "make bench-assimilation   time an analysis, its edits, and Adam beside it"
	@echo "make bench-reanalyse   months a second of a reanalysis, by one worker and by two"
	@echo "make bench-gcm   months a second of the atmosphere model and of the decoder"
	@echo "make test-simulate   the tests that run the atmosphere model (make test runs them too)"
	@echo "make clean   delete the environment and all caches"

$(BIN)/python:
	@tools/make_venv.sh $(VENV) "$(PYTHON)"

# PyTorch goes first and by its exact version, so that a CPU-only build that is already there is kept.
$(INSTALLED): constraints.txt pyproject.toml | $(BIN)/python
	@echo "Installing the pinned packages into $(VENV): a few minutes, this once."
	$(PIP) install --quiet --constraint constraints.txt setuptools torch $(addprefix --extra-index-url ,$(TORCH_INDEX))
	$(INSTALL_EDITABLE) '.[page,plot,train,priors]'
	@touch $@

$(INSTALLED_TEST): $(INSTALLED)
	$(INSTALL_EDITABLE) '.[page,plot,train,scale,archives,priors,test,docs]'
	@touch $@

# The atmosphere model brings JAX and fifty packages more: an environment of its own on top of the other, so that
# all else is tested with what the page is served with.
$(INSTALLED_SIMULATE): $(INSTALLED_TEST)
	$(BIN)/python -m venv --clear $(VENV)/simulate
	$(BIN)/python -c "import site, sysconfig; print('import site; site.addsitedir(%r)' % sysconfig.get_path('purelib'))" \
	  > $$($(VENV)/simulate/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/beneath.pth
	$(VENV)/simulate/bin/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt \
	  "$$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['simulate'])")"
	@touch $@

install: $(INSTALLED)

# A server for others must be told under which names and numbers they will ask for it.
ORIGIN := $(if $(filter-out localhost 127.0.0.1,$(HOST)),$$($(BIN)/python tools/addresses.py $(PORT) $(HOST_NAME)))

# Where many open the page at once a browser comes back for its session after more than the usual 15 s: it would
# find it dropped, and have it made again.
PATIENT := --unused-session-lifetime 120000

serve: $(INSTALLED)
	$(strip $(BIN)/panel serve app --port $(PORT) --address $(HOST) $(PATIENT) $(ORIGIN) $(ARGS))

# Compiled tests are kept, whatever the environment says: to rewrite their assertions takes 15 s a process.
unexport PYTHONDONTWRITEBYTECODE

# Two processes at once; tests/conftest.py says in which order they take files. In the browser tests each has a server and a Chromium of its own, and takes single tests
# but for those that share a server more.
PAGES := tests/browser
TWO := $(BIN)/python -m pytest -n 2
FILES := --dist loadfile --no-loadscope-reorder $(PAGES:%=--ignore=%)
PYTEST = $(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(TWO) $(FILES) || bad=1; $(TWO) --dist loadgroup $(PAGES) || bad=1; [ -z "$${bad:-}" ])

test: $(INSTALLED_TEST) $(if $(ARGS),,test-js test-simulate)
	@chromium="$$(tools/chromium.sh $(BIN))" && export MLDA_CHROMIUM="$$chromium" && set -x && $(PYTEST)

# No browser, no atmosphere model, nothing marked slow.
test-fast: $(INSTALLED_TEST)
	$(TWO) $(FILES) -m "not slow" $(ARGS)

test-simulate: $(INSTALLED_SIMULATE)
	$(VENV)/simulate/bin/python -m pytest -p no:cacheprovider tests/simulate

lint: $(INSTALLED_TEST) lint-js
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The page's JavaScript: lint and types by npm's tools, unit tests by node alone.
NO_NPM := npm is not here, so that the page's JavaScript is not checked: install Node.js 20 or newer for it.
NO_NODE := node is not here, so that the page's JavaScript has no unit tests run: install Node.js 20 or newer for them.

node_modules/.package-lock.json: package.json package-lock.json
	@if command -v npm >/dev/null; then npm ci --no-audit --no-fund --silent; fi

lint-js: node_modules/.package-lock.json
	@if command -v npm >/dev/null; then set -x; npm run --silent lint; else echo "$(NO_NPM)"; fi

test-js:
	@if command -v node >/dev/null; then set -x; node --test tests/js/*.test.js; else echo "$(NO_NODE)"; fi

format: $(INSTALLED_TEST)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

DOCS := docs/_build

docs: $(INSTALLED_TEST)
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --quiet docs $(DOCS)/html $(ARGS)
	@echo "Open $(DOCS)/html/index.html"

# The pictures are kept in the repository: drawing them takes minutes.
gallery: $(INSTALLED_TEST)
	$(BIN)/python tools/gallery.py

docs-linkcheck: $(INSTALLED_TEST)
	$(BIN)/python -m sphinx --builder linkcheck --keep-going --quiet docs $(DOCS)/linkcheck $(ARGS)

# The bundle is written below runs/, with the name that the file gives the model.
train: $(INSTALLED)
	$(BIN)/mlda train $(CONFIG) $(ARGS)
	$(BIN)/mlda calibrate runs/$$($(BIN)/python -c "import sys, tomllib; print(tomllib.load(open(sys.argv[1], 'rb'))['model']['name'])" $(CONFIG))/bundle --config $(CONFIG)

bench-assimilation: $(INSTALLED)
	OMP_NUM_THREADS=2 $(BIN)/python benchmarks/assimilation.py $(ARGS)

bench-reanalyse: $(INSTALLED_TEST)
	$(BIN)/python benchmarks/reanalyse.py $(ARGS)

bench-gcm: $(INSTALLED_SIMULATE)
	$(VENV)/simulate/bin/python -m mlda_core.cli bench gcm $(ARGS)

bench-load: $(INSTALLED_TEST)
	$(BIN)/python benchmarks/load.py $(ARGS)

bench: $(INSTALLED_TEST)
	@export MLDA_CHROMIUM="$$(tools/chromium.sh $(BIN))" && set -x && $(BIN)/python benchmarks/slider.py $(ARGS)

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info docs/_build docs/generated docs/reference/api docs/reference/modules docs/reference/command-line.md .mypy_cache .pytest_cache .ruff_cache .hypothesis .cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

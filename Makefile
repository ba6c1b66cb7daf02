# Every target does its own set-up: it needs Python >= 3.11 and a Rust toolchain, nothing else.

PYTHON ?= python3
JOBS ?= 100000
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# An activated environment, or one named by the caller, must not be built into by mistake.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH

SOURCES := $(shell find src python/antspy -name '*.rs' -o -name '*.py' -o -name '*.pyi') \
           Cargo.toml Cargo.lock build.rs pyproject.toml

.PHONY: help study test test-rust test-loom test-shuttle test-python browser test-cpython test-all \
        test-free-threaded test-wheel lint docs audit lock bench instructions soak wheels workflows clean

help:
	@echo "make study [JOBS=100000]  run the study: its table, study-results/study.json and study.png"
	@echo "make test                 run all checks and tests"
	@echo "make test-all             run the Python tests on each Python here; PYTHONS='3.11 3.12' for some,"
	@echo "                          COMMANDS='box 3.14 python, box 3.15 python' for those that these start"
	@echo "make bench [QUICK=1]      run the benchmarks beside other pools: tables and a plot in benches/results;"
	@echo "                          WORKS='go_wait map' for some"
	@echo "make instructions         count the instructions of the dispatch path, and compare them with the baseline"
	@echo "make soak [PARTS=...]      do again and again what could lose a task, and keep the account: soak-results"
	@echo "make wheels               build and test wheels for each Python here; PYTHONS='3.12 3.13' for some"
	@echo "make docs                 make a site of the documentation: site/index.html"
	@echo "make audit                look for known vulnerabilities in what is depended on, and at its licences"
	@echo "make lock [UPGRADE=1]     lock the packages that the tests and the study need; UPGRADE=1 takes newer ones"
	@echo "make clean                remove what was built"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)

# The package, built in release mode, with what the study needs. The build's own requirements are locked, too.
$(VENV)/.study: $(SOURCES) requirements/study.txt | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements/study.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# And with all that the tests and the integrations need.
$(VENV)/.built: $(SOURCES) requirements/development.txt | $(BIN)/python
	$(INSTALL) --require-hashes --requirement requirements/development.txt
	PATH="$(CURDIR)/$(BIN):$$PATH" $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.study $@

study: $(VENV)/.study
	$(BIN)/antspy study --jobs $(JOBS)

# Two at a time: the models of loom are one long computation, and the tests in Python mostly wait. What is printed comes
# when each is over. The tests in Python build the site, too.
test:
	$(MAKE) --jobs=2 --output-sync=target lint audit test-loom test-shuttle
	$(MAKE) --jobs=2 --output-sync=target test-python test-rust instructions test-cpython test-free-threaded test-wheel

lint: $(VENV)/.built
	cargo fmt --check
	cargo clippy --locked --all-targets --no-default-features -- --deny warnings
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --locked --all-targets -- --deny warnings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest antspy._antspy

# The documentation as a site. Whatever mkdocs warns of is an error: a link to nowhere, a docstring that it cannot read.
# The variable leaves out an announcement of another program.
docs: $(VENV)/.built
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

# The core, on real threads. The binding is tested by the tests in Python.
test-rust:
	cargo test --locked --no-default-features

# The core's protocols, model-checked: in all schedules with few switches, and in some with many. One model of loom after
# the other takes less time than side by side. `ANTSPY_SOAK=n` tries n random schedules of each.
test-loom:
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
	cargo test --locked --no-default-features --profile model --test loom -- --test-threads=1

test-shuttle:
	RUSTFLAGS="--cfg shuttle" CARGO_TARGET_DIR=target/shuttle \
	cargo test --locked --no-default-features --profile model --test shuttle

test-python: $(VENV)/.built browser
	$(BIN)/python -m pytest

# What the page of `antspy top --web` is tested in. Those tests are skipped, and said so, where there is none.
browser: $(VENV)/.built
	$(BIN)/python tools/browser.py

# CPython's own tests of concurrent.futures, on antspy's classes: here, and on one newer Python.
test-cpython: $(VENV)/.built
	$(BIN)/python tests/cpython/runner.py
	$(BIN)/python tools/every_python.py --newer --pythons '$(ANTSPY_NEWER)' cpython

# The tests of the package and CPython's own, on each CPython in an environment of its own.
test-all: $(BIN)/python
	$(BIN)/python tools/every_python.py --pythons '$(PYTHONS)' --commands '$(COMMANDS)'

# The tests of the package without the interpreter lock, then once more each in several threads at once. Skipped, and
# said so, where no such Python is found; `ANTSPY_FREE_THREADED` names one.
test-free-threaded: $(BIN)/python
	$(BIN)/python tools/every_python.py --free-threaded --pythons '$(ANTSPY_FREE_THREADED)' pytest parallel

# Known vulnerabilities, licences and sources of all that is depended on.
audit: $(BIN)/python
	$(BIN)/python tools/audit.py

# Locks what the environment here is made of anew; `UPGRADE=1` takes newer releases. Needs uv.
lock: $(BIN)/python
	$(BIN)/python tools/lock.py $(if $(UPGRADE),--upgrade)

# The wheel for this Python, as a user has it.
test-wheel: $(VENV)/.built
	$(BIN)/python tools/wheels.py --quick

wheels: $(VENV)/.built
	$(BIN)/python tools/wheels.py --pythons '$(PYTHONS)'

# What GitHub would say of the workflows before it runs them. Needs Go.
workflows:
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

bench: $(VENV)/.built
	$(BIN)/python benches/run.py $(if $(QUICK),--quick) $(WORKS)

# Needs valgrind, and is skipped without.
instructions: $(VENV)/.built
	$(BIN)/python benches/instructions.py

# The long form of what tests/test_soak.py does.
soak: $(VENV)/.built
	$(BIN)/python soak/soak.py $(PARTS)

clean:
	rm -rf $(VENV) target dist study-results soak-results site python/antspy/_antspy.*.so

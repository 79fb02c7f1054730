# Two commands do everything: `make demo` brings the first workshop up, `make test` runs every test.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

# The tests start hundreds of Python processes: where compiled files are not kept, each compiles the whole package again.
test unit torture: export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test torture lint types unit browser install lock bench clean help

help:  ## List what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.demo  ## Set the first workshop up on the embedded local cloud
	$(BIN)/workshop setup

test: $(VENV)/.test browser  ## Run everything: lint, types, unit, moto, local cloud and browser tests
	@$(MAKE) --no-print-directory -j 2 lint types $(VENV)/.collected
	@# One run of six processes for all tests: many wait for a cloud or a browser while others compute. tests/conftest.py
	@# has the longest files begin first, so that none of them ends last by itself.
	$(BIN)/pytest -n 6 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test  ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test  ## Check types
	$(BIN)/mypy

unit: $(VENV)/.test  ## Run the unit tests alone
	$(BIN)/pytest -n 2 --dist worksteal tests/unit

torture: $(VENV)/.test  ## Try every ugly ending of setup and teardown, for half an hour
	TORTURE=long $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests/torture \
	  tests/drill/test_drill_interrupted.py tests/cloud/test_full_disk.py tests/cloud/test_unread_output.py \
	  tests/cloud/test_terminal.py tests/checks/test_policy_enforced.py

browser: $(VENV)/.test  ## Find a Chromium for the browser tests, or install one
	@scripts/ensure-chromium $(BIN)

install: $(VENV)/.demo  ## Make the virtual environment and install workshop into it

lock: $(VENV)/lock/.uv  ## Lock the dependencies of pyproject.toml; UPGRADE=--upgrade takes the newest
	scripts/lock $(BIN)/python $(VENV)/lock/bin/uv $(UPGRADE)

bench: $(VENV)/.test  ## Run the benchmarks
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:  ## Remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "workshop needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python cannot make virtual environments here. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(VENV)/.demo: $(BIN)/python pyproject.toml requirements/demo.txt
	@scripts/install-locked $(BIN) demo
	@touch $@

$(VENV)/.test: $(BIN)/python pyproject.toml requirements/dev.txt
	@scripts/install-locked $(BIN) dev
	@touch $@ $(VENV)/.demo

# Pytest rewrites and compiles each test file once: in a fresh clone, each of the processes would do it at the same moment.
$(VENV)/.collected: $(VENV)/.test
	@$(BIN)/pytest --collect-only -qq > /dev/null
	@touch $@

$(VENV)/lock/.uv: $(BIN)/python
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@

# churnwatch: `make help` lists what can be made. Needs python3 (3.11 or newer) with venv, and nothing else.

comma  := ,
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# -qq: pip says nothing unless it fails; what it does is said in one line here.
PIP    := $(BIN)/python -m pip --disable-pip-version-check install -qq
PYTEST := $(BIN)/python -m pytest
# Two workers: one file's tests stay together, so that what a file builds once is built once. Which file comes when is
# for tests/conftest.py to say: by the number of their tests, the longest would come last.
WORKERS ?= 2
SHARED := -n $(WORKERS) --dist loadfile --no-loadscope-reorder
# Spark runs on Java; where there is none, its tests are skipped and say so.
SPARK  := $(if $(shell command -v java),$(comma)spark)

# What failed half-way is made again.
.DELETE_ON_ERROR:
.PHONY: help demo test test-postgres slow words lint bench bench-large bench-models bench-satisfaction bench-onset bench-outreach fuzz gates clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1 #/p' $(MAKEFILE_LIST) | awk -F' # ' '{printf "  make %-18s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime  ## simulate a company, train, print today's list (writes demo/)
	@$(BIN)/churnwatch demo

test: $(VENV)/.dev  ## the tests, but for the slow ones
	@$(PYTEST) $(SHARED)

test-postgres: $(VENV)/.dev  ## the same with the ledger on PostgreSQL, on a server of its own (FILES="tests/…" for some)
	@CHURNWATCH_TEST_LEDGER=postgresql $(PYTEST) $(SHARED) $(FILES)

slow: $(VENV)/.dev  ## the slow tests: whole demos, the wheel, the notebooks
	@$(PYTEST) -m slow $(SHARED)

words: $(VENV)/.dev  ## how well the word lists of features/wording.yaml do
	@$(PYTEST) -q -m slow -p no:randomly tests/test_wording.py

lint: $(VENV)/.dev  ## ruff, mypy --strict, and the rooms contract
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.bench  ## the benchmarks, with their limits (about a quarter of an hour)
	@$(BIN)/python tests/benchmarks/run.py

bench-large: $(VENV)/.bench  ## the benchmarks of large data (half an hour, and 5 GB of disk)
	@$(BIN)/python tests/benchmarks/run.py signals_large daily_large

bench-models: $(VENV)/.bench .venv-flaml/.made  ## our training beside LightGBM as it comes and FLAML (about ten minutes)
	@$(BIN)/python tests/benchmarks/run.py models_peers

bench-satisfaction: $(VENV)/.bench  ## satisfaction beside the truth of 40 simulated companies (about ten minutes)
	@$(BIN)/python tests/benchmarks/run.py satisfaction_seeds

bench-outreach: $(VENV)/.bench  ## what the list's order saves beside pure risk order in 20 simulated companies (about ten minutes)
	@$(BIN)/python tests/benchmarks/run.py outreach_seeds

bench-onset: $(VENV)/.bench  ## since when a risk rises beside the truth of 7 simulated companies (about ten minutes)
	@$(BIN)/python tests/benchmarks/run.py onset_seeds

fuzz: $(VENV)/.dev  ## damage 2,000 files of every format and load them (about two minutes; SEED=N repeats)
	@$(BIN)/python -m tests.fuzz.run --cases 2000 $(if $(SEED),--seed $(SEED))

gates: $(VENV)/.dev  ## what a release must pass: the installed wheel, every slow test, damaged models (SEED=N repeats)
	@$(PYTEST) -m "slow or not slow" tests/test_wheel.py
	@$(PYTEST) -m slow $(SHARED) --ignore tests/test_wheel.py
	@$(BIN)/python -m tests.fuzz.bundles --cases 1000 $(if $(SEED),--seed $(SEED))

clean:  ## remove the environment, caches and builds (never demo/: a project may hold facts)
	@rm -rf $(VENV) .venv-flaml dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Installed again only when what is wanted has changed. The install is editable: code needs no reinstall.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing churnwatch into $(VENV)/ (once; about a minute) ..."
	@$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing churnwatch with its developer tools into $(VENV)/ (once; a minute or two) ..."
	@$(PIP) -c constraints.txt -e '.[dev,inbox,postgres$(SPARK)]'
	@touch $@ $(VENV)/.runtime

# What the benchmarks compare with.
$(VENV)/.bench: $(VENV)/.dev
	@$(PIP) -c constraints.txt -e '.[bench]'
	@touch $@

# FLAML wants other versions of what we use, so it lives alone.
.venv-flaml/.made: tests/benchmarks/flaml-constraints.txt
	@echo "Installing FLAML into .venv-flaml/ (once; a minute or two) ..."
	@$(PYTHON) -m venv .venv-flaml
	@.venv-flaml/bin/python -m pip --disable-pip-version-check install -qq -c $< 'flaml[automl]'
	@touch $@

$(BIN)/python:
	@echo "Creating $(VENV)/ ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "churnwatch needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; try: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

# Every target sets up what it needs in .venv; nothing but Python >= 3.11, pip and make is assumed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
PINS := .ci/requirements.txt
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types floors soak bench clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 10

$(VENV)/python: $(PINS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sageval needs Python 3.11 or newer, not " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/python pyproject.toml
	$(PIP) --constraint $(PINS) --editable .
	@touch $@

$(VENV)/developed: $(VENV)/installed
	$(PIP) --requirement $(PINS)
	@touch $@

demo: $(VENV)/installed  ## the main job on the built-in sandbox: no AWS account needed
	$(BIN)/sageval eval -c examples/quickstart/sageval.yaml --sandbox

test: $(VENV)/developed  ## the test suite
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

check: $(VENV)/developed lint types floors  ## format, lint, types, floors, tests with branch coverage
	$(BIN)/python -m pytest -n 2 --cov --cov-report=term $(PYTEST_ARGS)

format: $(VENV)/developed  ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/developed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/deptry sagemaker_eval

types: $(VENV)/developed
	$(BIN)/mypy

floors: $(VENV)/developed
	$(BIN)/lint-imports

soak: $(VENV)/developed  ## the load and fault tests at full weight
	SAGEVAL_SOAK=1.0 $(BIN)/python -m pytest -m soak --timeout 1800 $(PYTEST_ARGS)

bench: $(VENV)/developed  ## measure beside a peer, in the same run
	$(BIN)/python -m tests.bench

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis

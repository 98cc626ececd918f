# Interlock. `make` alone prints help; every target sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types check format fuzz bench lock kafka postgres compose-check clean

VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.interlock-ready
TESTS  ?= tests
REPORTS ?= 2000
JOBS    ?= 2
SCHEDULES ?= 10000

help:  ## Print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## Make .venv and install Interlock there (needs Python 3.11 or newer)

$(STAMP): requirements.lock pyproject.toml deploy/setup
	@deploy/setup $(VENV)
	@touch $@

demo: setup  ## Start everything, play 2,000 reports, show the leads; Ctrl-C ends it
	@$(BIN)/interlock demo --reports $(REPORTS)

test: setup  ## Run all tests (those that need Kafka or PostgreSQL say how to enable them)
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)

lint: setup  ## Check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: setup  ## Check types
	@$(BIN)/mypy

check: lint types test  ## Everything that continuous integration checks

format: setup  ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

fuzz: setup  ## Run the property tests with many more examples, and SCHEDULES of the resolver's
	@HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)
	@$(BIN)/python -m tests.fusion.fuzz --schedules $(SCHEDULES)

bench: setup  ## Run every benchmark; results go to bench/results
	@for each in bench/*.py; do echo "$$each"; $(BIN)/python $$each || exit 1; done

lock:  ## Pin every dependency with its hash (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/"; exit 1; }
	@uv pip compile pyproject.toml --extra parquet --extra test --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet \
	  --output-file requirements.lock

kafka:  ## Start a Kafka broker for tests
	@deploy/kafka/kafka start

postgres:  ## Start a PostgreSQL server for tests
	@deploy/postgres/postgres start

compose-check: setup  ## Bring docker-compose.yml up, push reports, see a lead, restart each service
	@deploy/compose-check

clean:  ## Remove everything that was made here
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

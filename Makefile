# Two commands for a fresh machine with Python 3.11 and make: `make demo` and `make test`.
# Each makes its own environment in .venv first; `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check lint types bench bench-peers golden docs lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(READY): pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(READY)

demo: $(READY) ## Run a whole history of syncs against a simulated ConnectWise, and report
	$(BIN)/headwater demo demo

test: $(READY) ## Lint, types and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

test-long: $(READY) ## What takes minutes on Spark: a whole blueprint, Delta, Spark Connect (needs Java 17)
	HEADWATER_LONG=1 $(BIN)/pytest -n 2 --dist worksteal -k spark tests/grid tests/warehouse/spark/test_engine.py
	HEADWATER_LONG=1 $(BIN)/pytest tests/e2e/test_readers.py
	HEADWATER_LONG=1 $(BIN)/pytest -s tests/e2e/hostile

check: $(READY) ## Lint and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY) ## Ratios to the reference: read + land, merge, long histories, and peers where they are installed
	$(BIN)/python -m bench

bench-peers: ## Put dlt, dbt and SQLMesh beside, for `make bench` to measure against
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check "dlt[duckdb]" pyarrow sqlmesh "dbt-core<1.11" "dbt-duckdb<1.11"

golden: $(READY) ## Rewrite the golden files; read the diff before you commit it
	HEADWATER_GOLDEN=rewrite $(BIN)/pytest -q -m golden

docs: $(READY) ## Write the generated reference pages
	HEADWATER_GOLDEN=rewrite $(BIN)/pytest -q -m golden tests/docs

lock: ## Pin what is installed (needs uv)
	uv pip compile pyproject.toml --group dev --all-extras --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -p 3.11 -o requirements/dev.txt

clean: ## Remove the environment and the demo
	rm -rf .venv demo

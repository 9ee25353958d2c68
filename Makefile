# Two commands for a fresh machine with Python 3.11 and make: `make demo` and `make test`.
# `make demo` makes the environment .venv-demo, unless .venv is there; all others make .venv, and `make test-all` .azurite. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
READY := .venv/.ready
DEMO := $(if $(wildcard $(READY)),.venv,.venv-demo)
INSTALL := -m pip install --quiet --disable-pip-version-check
PYTEST := $(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-long check lint types bench bench-peers golden docs lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(READY): pyproject.toml requirements/dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) --require-hashes -r requirements/dev.txt
	$(BIN)/python $(INSTALL) --no-build-isolation --no-deps -e .
	@touch $(READY)

.venv-demo/.ready: pyproject.toml requirements/demo.txt
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/python $(INSTALL) --require-hashes -r requirements/demo.txt
	.venv-demo/bin/python $(INSTALL) --no-build-isolation --no-deps -e .
	@touch .venv-demo/.ready

# Where npm's registry cannot be reached, the tests that need the emulator are skipped, and the next call tries again.
.azurite/.ready: requirements/azurite.txt tests/storage/azurite/package-lock.json
	$(PYTHON) -m venv .azurite/venv
	.azurite/venv/bin/python $(INSTALL) --require-hashes -r requirements/azurite.txt
	cp tests/storage/azurite/package*.json .azurite/
	NODE_OPTIONS=--use-system-ca .azurite/venv/bin/npm ci --prefix .azurite --ignore-scripts --no-audit --no-fund \
	  && touch .azurite/.ready || echo "Azurite is not installed: tests with abfss:// are skipped."

demo: $(DEMO)/.ready ## Run a whole history of syncs against a simulated ConnectWise, and report
	$(DEMO)/bin/headwater demo demo

# The types are checked while the tests run, because both wait for the disk and for other processes.
test: lint ## Lint, types, and all tests on DuckDB, Postgres and files
	@$(MAKE) --no-print-directory types & types=$$!; \
	HEADWATER_SHARE=0.15 $(PYTEST) -m "not spark and not azure and not long"; tests=$$?; \
	wait $$types || exit; exit $$tests

test-all: $(READY) .azurite/.ready ## What `make test` leaves out: Spark (needs Java 17), Azure's emulator, long random sets, many hostile services
	HEADWATER_SHARE=0.5 $(PYTEST) -m "spark or azure or long or drawn"

test-long: $(READY) .azurite/.ready ## The same with more random examples, for hours
	HEADWATER_HOSTILE_LIVES=200 HEADWATER_SPARK_EXAMPLES=20 $(PYTEST) -m "spark or azure or long or drawn"

check: lint types ## Lint and types only

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

bench: $(READY) ## Ratios to the reference: read + land, merge, long histories, and peers where they are installed
	$(BIN)/python -m bench

bench-peers: ## Put dlt, dbt and SQLMesh beside, for `make bench` to measure against
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python $(INSTALL) "dlt[duckdb]" pyarrow sqlmesh "dbt-core<1.11" "dbt-duckdb<1.11"

golden: $(READY) ## Rewrite the golden files; read the diff before you commit it
	HEADWATER_GOLDEN=rewrite $(BIN)/pytest -q -m golden

docs: $(READY) ## Write the generated reference pages
	HEADWATER_GOLDEN=rewrite $(BIN)/pytest -q -m golden tests/docs

COMPILE := uv pip compile pyproject.toml --universal --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-annotate --no-header -q -p 3.11

lock: ## Pin what is installed (needs uv); the demo gets the versions that everything gets
	$(COMPILE) --group dev --all-extras -o requirements/dev.txt
	$(COMPILE) --group build --extra sandbox -c requirements/dev.txt -o requirements/demo.txt
	$(subst pyproject.toml,,$(COMPILE)) --group azurite -o requirements/azurite.txt

clean: ## Remove the environments and the demo
	rm -rf .venv .venv-demo .azurite demo

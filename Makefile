# `make help` is the map. Everything runs in .venv, which the first command builds from requirements.lock.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
CONFIG  ?= data/samples/capacity.toml
HISTORY ?=
PREVIOUS ?=
OUT     ?= build/report
PLAN    ?= $(OUT)/report.plan

.DEFAULT_GOAL := help
.PHONY: help report review test check lint types format bench notebooks samples docs lock clean

help: ## Show this map
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

report: $(READY) ## Write the capacity report (HISTORY=path CONFIG=capacity.toml OUT=folder PREVIOUS=plan for your own)
	@$(BIN)/capacity report --config "$(CONFIG)" --out "$(OUT)" $(if $(HISTORY),--history "$(HISTORY)") \
	  $(if $(PREVIOUS),--previous "$(PREVIOUS)")

review: $(READY) ## Was the plan right? (PLAN=plans/2026Q4.plan or a folder of them, HISTORY=what happened since)
	@$(BIN)/capacity review "$(PLAN)" --config "$(CONFIG)" $(if $(HISTORY),--actuals "$(HISTORY)")

# Two workers on two cores: more threads inside each only wait for one another.
test: $(READY) ## Run every test
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadgroup

check: lint types test ## What CI runs: lint, types, tests

lint: $(READY) ## Format check and lint
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

types: $(READY) ## Strict types on code, tests and benchmarks
	@$(BIN)/mypy

format: $(READY) ## Format the code and mend what lint can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY) ## Measure: pipeline, store, pulls, planning, simulator; forecasts and policies beside others
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python -m benchmarks.$$(basename $$file .py) || exit 1; done
	@echo "== benchmarks/forecast"; $(BIN)/python -m benchmarks.forecast
	@echo "== benchmarks/policy"; $(BIN)/python -m benchmarks.policy

notebooks: $(READY) ## Run the notebooks from top to bottom and keep their pictures
	@$(BIN)/python -m notebooks.run

samples: $(READY) ## Generate data/samples again, from its documented model and fixed seed
	@$(BIN)/python -m capacity.samples.generate --out data/samples

docs: $(READY) ## Write the generated pages of docs/ and build the site in build/site, without a warning
	@$(BIN)/python -m capacity.schema > docs/data-dictionary.md
	@$(BIN)/python -m capacity.config > docs/configuration.md
	@$(BIN)/python -m capacity.cli.reference > docs/commands.md
	@$(BIN)/python -m capacity.cli.python_reference > docs/python-api.md
	@$(BIN)/python -m benchmarks.how_right > docs/how-right.md
	@$(BIN)/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going -b html docs build/site
	@echo build/site/index.html

lock: ## Resolve requirements.lock again (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra all --group dev pyproject.toml -o requirements.lock

clean: ## Delete what can be made again
	@rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "capacity needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Setting up $(VENV) (once, a few minutes)..." >&2
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Could not make $(VENV). On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

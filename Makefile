# Everything is one command. `make install` alone sets up .venv; the other targets do it when needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help

.PHONY: help install demo test check format bench pictures fuzz soak histories lock clean

help:  ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

install: $(VENV)/.installed  ## .venv with every extra and the command .venv/bin/mailbot

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 install"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python's venv module is not whole. On Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install  ## the whole job on an embedded mail server, with sample mails
	$(BIN)/mailbot demo

test: install  ## all tests; what is not installed on this machine is skipped and named
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: install  ## format, lint, types, import rules, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: install  ## put the code into its format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pictures: install  ## the pictures in docs/pictures, made from the demo (needs chromium, LibreOffice, a Chinese font)
	$(BIN)/python docs/pictures/make.py

bench: install  ## measure, and print the tables that the README quotes
	$(BIN)/python -m bench

fuzz: install  ## a hundred thousand damaged mails and documents through the reader
	$(BIN)/python -m tests.fuzz 100000

soak: install  ## twenty thousand mails through the service, faults all along; what it holds is printed
	$(BIN)/python -m tests.soak 20000

histories: install  ## two thousand random histories on the embedded servers, faults included, and two hundred on PostgreSQL
	MAILBOT_HISTORIES=2000 MAILBOT_HISTORIES_POSTGRESQL=200 $(BIN)/python -m pytest --timeout 0 tests/e2e/test_histories.py

lock:  ## resolve the dependencies anew into requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:  ## remove what was made here
	rm -rf $(VENV) fuzz-findings .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-output

# Two commands: `make` installs and grades the shipped solutions, `make test` installs and runs the tests.
PYTHON ?= python3
# tests at a time
JOBS ?= 2
BIN := .venv/bin

.PHONY: check test bench clean

check: .venv/grader
	$(BIN)/grader check --from solutions

test: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) --dist worksteal

bench: .venv/grader
	$(BIN)/python benchmarks/check.py

.venv/pip:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	touch $@

.venv/grader: .venv/pip pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/dev: .venv/grader
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

clean:
	rm -rf .venv

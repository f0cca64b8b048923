# Set-up, tests and the demo, from nothing. See README.md.
PYTHON ?= python3
# Address of a package index with CPU builds of torch, as the selector on pytorch.org names it.
TORCH_INDEX ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
SOURCES := pyproject.toml CMakeLists.txt constraints.txt $(wildcard cpp/*) \
	$(shell find src -name '*.py' -o -name '*.csv' 2>/dev/null)

.PHONY: demo test lint bench develop clean

demo: $(INSTALLED)
	rm -rf build/demo && mkdir -p build/demo
	$(BIN)/gatewise sample build/demo/reviews.csv
	$(BIN)/gatewise train classify build/demo/reviews.csv --out build/demo/model
	$(BIN)/python examples/answer.py build/demo/model

test: $(INSTALLED)
	$(BIN)/pytest

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(INSTALLED)
	$(BIN)/python benchmarks/quality.py

# The package in the virtual environment follows the files in src/ without a new installation.
develop: .venv
	$(BIN)/pip install -q -c constraints.txt scikit-build-core nanobind
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[train]'

$(INSTALLED): $(SOURCES) | .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install -q '.[train]'
	touch $@

.venv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q 'pip>=25.1'
	$(BIN)/pip install -q -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/pip install -q -c constraints.txt --group test --group lint

clean:
	rm -rf .venv build dist

# Set-up, tests and the demo, from nothing. See README.md.
PYTHON ?= python3
# Address of a package index with CPU builds of torch, as the selector on pytorch.org names it.
TORCH_INDEX ?=

BIN := .venv/bin
INSTALLED := .venv/.installed
# Benchmarks have a virtual environment of their own, with the peers that they compare with.
BENCH := .venv-bench
IMDB ?= ../shared/data/imdb
# For all three, for instance: make bench BENCH_OPTIONS='--write docs/benchmarks.md'
BENCH_OPTIONS ?=
SANITIZED := build/sanitize
KERNEL_TESTS := $(addprefix tests/test_,$(addsuffix .py,\
	sanitizers kernels all_cells projected linear precision denormals concurrency))
SOURCES := pyproject.toml CMakeLists.txt constraints.txt $(wildcard cpp/*) \
	$(shell find src -name '*.py' -o -name '*.csv' -o -path '*/page/*' 2>/dev/null)

.PHONY: demo test lint sanitize bench quality develop clean

demo: $(INSTALLED)
	rm -rf build/demo && mkdir -p build/demo
	$(BIN)/gatewise sample build/demo/reviews.csv
	$(BIN)/gatewise train classify build/demo/reviews.csv --out build/demo/model
	$(BIN)/python examples/answer.py build/demo/model

test: $(INSTALLED)
	$(BIN)/pytest -n 2 --dist loadfile

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# The kernel's tests with a kernel that stops at what C++ does not allow. For Linux and GCC.
# The interpreter is the one outside of .venv, which would find the installed kernel first.
sanitize: $(INSTALLED)
	CXX=$(CXX) PIP_CONSTRAINT=constraints.txt $(BIN)/pip install -q --no-deps --upgrade \
		--target $(SANITIZED)/site -C build-dir=$(SANITIZED)/objects \
		-C cmake.define.GATEWISE_SANITIZE=ON .
	python=$$($(BIN)/python -c 'import sys; print(sys._base_executable)'); \
	packages=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'); \
	libraries="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libubsan.so)"; \
	PYTHONPATH=$(CURDIR)/$(SANITIZED)/site:$$packages PYTHONMALLOC=malloc OMP_NUM_THREADS=1 \
	ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 LD_PRELOAD=$$libraries \
	$$python -m pytest -p no:cacheprovider $(KERNEL_TESTS)

bench: $(BENCH)/.installed
	$(BENCH)/bin/python benchmarks/recurrence.py $(BENCH_OPTIONS)
	$(BENCH)/bin/python benchmarks/latency.py $(BENCH_OPTIONS)
	$(BENCH)/bin/python benchmarks/train_step.py $(IMDB) $(BENCH_OPTIONS)

quality: $(INSTALLED)
	$(BIN)/python benchmarks/quality.py

# The package in the virtual environment follows the files in src/ without a new installation.
develop: .venv
	$(BIN)/pip install -q -c constraints.txt scikit-build-core nanobind
	$(BIN)/pip install -q -c constraints.txt --no-build-isolation -e '.[train,serve,keras]'

$(INSTALLED): $(SOURCES) | .venv
	PIP_CONSTRAINT=constraints.txt $(BIN)/pip install -q '.[train,serve,keras]'
	touch $@

$(BENCH)/.installed: $(SOURCES) | $(BENCH)
	PIP_CONSTRAINT=constraints.txt $(BENCH)/bin/pip install -q '.[train,keras]'
	touch $@

$(BENCH):
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install -q 'pip>=25.1'
	$(BENCH)/bin/pip install -q -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BENCH)/bin/pip install -q -c constraints.txt --group bench

.venv:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q 'pip>=25.1'
	$(BIN)/pip install -q -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch
	$(BIN)/pip install -q -c constraints.txt --group test --group lint

clean:
	rm -rf .venv $(BENCH) build dist

# Every target sets itself up: it builds .venv here on first use, and again only when
# pyproject.toml, constraints.txt, the Python version or the place of this folder changed.

.PHONY: help run test check docs bench lock clean
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)

VENV := .venv
BIN := $(VENV)/bin
KEY := $(shell { pwd; cat pyproject.toml constraints.txt; "$(PYTHON)" -V; } 2>/dev/null | cksum | cut -d ' ' -f 1)
STAMP := $(VENV)/.installed-$(KEY)
# One thread per process: the matrices are small, and timings and sums stay the same everywhere.
THREADS := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

help:
	@echo 'make run     the staircase of Mn12-acetate: figure, table and files in results/'
	@echo 'make test    style, types, layers, tests, and the wheel in a clean environment'
	@echo 'make docs    the documentation site, every page executed: docs/_build/html'
	@echo 'make bench   a table of timings, other programs beside this one'
	@echo 'make clean   remove the environment and everything built'

run: $(STAMP)-core
	$(BIN)/mesospin run studies/mn12ac-staircase.toml

test: check
	$(THREADS) $(BIN)/python -m pytest

check: $(STAMP)-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMP)-docs
	$(THREADS) $(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo 'Read it: docs/_build/html/index.html'

bench: $(STAMP)-test
	$(BIN)/python benchmarks/run.py

lock: $(STAMP)-test $(STAMP)-docs
	{ sed -n '/^#/p' constraints.txt; $(BIN)/pip freeze --exclude-editable | grep '=='; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# A virtual environment holds absolute paths, so one that was moved or copied is built anew.
$(STAMP)-%:
	@test -n "$(PYTHON)" || { echo 'mesospin needs Python 3.11 or newer: install it, or say make PYTHON=/path/to/python' >&2; exit 1; }
	@if ! { $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' && grep -qF "$(CURDIR)/$(BIN)/python" $(BIN)/pip; } 2>/dev/null; then \
		echo 'Building the environment in $(VENV) ...'; rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV); fi
	@echo 'Installing mesospin ($*) and what it needs into $(VENV) (a few minutes the first time) ...'
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.$(addsuffix ],$(addprefix [,$(filter-out core,$*)))'
	@echo 'Compiling its kernels, once ...'
	@$(BIN)/python -c 'import mesospin as ms; ms.hysteresis(ms.load("mn12ac"), 2.0, 0.1, (-1, 1), disorder=None); \
		big = ms.giant_spin(200, D=-1.0, E=0.1); \
		[ms.tunnel_splitting(big, (200, -200), transverse=(h, 0.0)) for h in (0.0, 1.0)]; \
		ms.splitting_map(ms.load("fe8"), (10, -10), transverse=[0.0, 0.1])'
	@rm -f $(filter-out $(STAMP)-%,$(wildcard $(VENV)/.installed-*-*))
	@touch $@

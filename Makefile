# `make` alone lists the commands. CONTRIBUTING.md gives the same steps without make.

PYTHON ?= python3
export NO_MKDOCS_2_WARNING = 1
DOCS := .venv-docs/bin/python -m
FULL := .venv/bin/python -m

.DEFAULT_GOAL := help
.PHONY: help serve test site outputs results bench lint lock portable properdocs clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

serve: .venv-docs/ready ## show the book in your browser, and again whenever a page is saved
	@echo "A first build takes some seconds; then only what changes is built, and MkDocs warns of that."
	$(DOCS) mkdocs serve --open --dirty

test: lint ## run everything that CI runs: about a quarter of an hour
	OMP_NUM_THREADS=1 $(FULL) pytest -n auto
	$(MAKE) portable properdocs

lint: .venv/ready ## check style and types
	$(FULL) ruff check
	$(FULL) ruff format --check
	$(FULL) mypy
	.venv/bin/zizmor --offline --quiet .github/workflows

portable: .venv/ready ## run all pages with older processor instructions and two threads
	OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
	$(FULL) pytest -n auto docs README.md

properdocs: .venv/ready ## build the site with the successor of MkDocs
	$(FULL) properdocs build --config-file mkdocs.yml --strict --site-dir .cache/properdocs

site: .venv-docs/ready ## build the site into site/, strictly
	$(DOCS) mkdocs build --strict

outputs: .venv/ready ## write outputs and figures of all pages anew
	OMP_NUM_THREADS=1 $(FULL) pytest -n auto docs README.md --update-outputs

results: .venv/ready ## write the stored results of docs/results into the pages
	$(FULL) booktools.results

bench: .venv/ready ## measure speed; wants a quiet machine for some minutes
	$(FULL) pip install --quiet --disable-pip-version-check --requirement requirements/bench.txt
	.venv/bin/python tests/benchmarks/run.py --folder docs/results
	$(MAKE) results

# New pins for requirements/*.txt from the ranges in pyproject.toml.
COMPILE = .venv/bin/uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
  --quiet --upgrade
lock: .venv/ready ## pin the newest versions in requirements/
	$(FULL) pip install --quiet uv
	$(COMPILE) --group docs --output-file requirements/docs.txt
	$(COMPILE) pyproject.toml --group test --output-file requirements/test.txt
	$(COMPILE) --group bench --constraint requirements/test.txt --output-file requirements/bench.txt

clean: ## remove what the other commands have made
	rm -rf .venv .venv-docs .cache site

# An environment is made anew when its pins change, and only then.
.venv-docs/ready: requirements/docs.txt
	@$(call check_python)
	@echo "Installing what builds the site into .venv-docs: 0.4 GB, a minute or two, no PyTorch."
	@$(PYTHON) -m venv --clear .venv-docs
	@$(DOCS) pip install $(QUIET) --requirement $< || $(call offline)
	@touch $@

.venv/ready: requirements/test.txt
	@$(call check_python)
	@echo "Installing PyTorch and all that tests it into .venv: 6 GB, some minutes."
	@$(PYTHON) -m venv --clear .venv
	@$(FULL) pip install $(QUIET) --requirement $< || $(call offline)
	@$(FULL) pip install $(QUIET) --no-deps --no-build-isolation --editable .
	@touch $@

QUIET = --quiet --disable-pip-version-check
check_python = $(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || { \
  echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
  echo "Name another one, for example: make test PYTHON=python3.12"; exit 1; }
offline = { echo "pip could not install the packages: is this computer online? Its last lines tell more."; \
  exit 1; }

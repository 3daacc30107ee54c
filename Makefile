# make serve   read the site at home, rebuilt whenever a page is saved (needs no torch)
# make test    run everything that CI runs
# CONTRIBUTING.md gives the same steps as plain commands.

PYTHON ?= python3
export NO_MKDOCS_2_WARNING = 1
DOCS := .venv-docs/bin/python -m
FULL := .venv/bin/python -m

.PHONY: serve test site outputs results bench lint lock portable properdocs clean

serve: .venv-docs/ready
	$(DOCS) mkdocs serve --open --dirty

test: lint
	OMP_NUM_THREADS=1 $(FULL) pytest -n auto
	$(MAKE) portable properdocs

lint: .venv/ready
	$(FULL) ruff check
	$(FULL) ruff format --check
	$(FULL) mypy
	.venv/bin/zizmor --offline --quiet .github/workflows

# The same pages with older instructions and two threads, which round differently.
portable: .venv/ready
	OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
	$(FULL) pytest -n auto docs README.md

# The same site built by the successor of MkDocs.
properdocs: .venv/ready
	$(FULL) properdocs build --config-file mkdocs.yml --strict --site-dir .cache/properdocs

site: .venv-docs/ready
	$(DOCS) mkdocs build --strict

outputs: .venv/ready
	OMP_NUM_THREADS=1 $(FULL) pytest -n auto docs README.md --update-outputs

# Tables, numbers, plots and figures of the results that docs/results stores, written into the pages.
results: .venv/ready
	$(FULL) booktools.results

# How fast the code is, next to its peers; wants a machine that does nothing else for some minutes.
bench: .venv/ready
	$(FULL) pip install --quiet --disable-pip-version-check --requirement requirements/bench.txt
	.venv/bin/python tests/benchmarks/run.py --folder docs/results
	$(MAKE) results

# New pins for requirements/*.txt from the ranges in pyproject.toml.
COMPILE = .venv/bin/uv pip compile --universal --python-version 3.11 --no-annotate --no-header \
  --quiet --upgrade
lock: .venv/ready
	$(FULL) pip install --quiet uv
	$(COMPILE) --group docs --output-file requirements/docs.txt
	$(COMPILE) pyproject.toml --group test --output-file requirements/test.txt
	$(COMPILE) --group bench --constraint requirements/test.txt --output-file requirements/bench.txt

clean:
	rm -rf .venv .venv-docs .cache site

# An environment is made anew when its pins change, and only then.
.venv-docs/ready: requirements/docs.txt
	$(PYTHON) -m venv --clear .venv-docs
	$(DOCS) pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

.venv/ready: requirements/test.txt
	$(PYTHON) -m venv --clear .venv
	$(FULL) pip install --quiet --disable-pip-version-check --requirement $<
	$(FULL) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

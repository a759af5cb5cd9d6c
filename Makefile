# `make` lists the targets. PYTHON is what .venv is made with; PY=python uses an environment of yours instead of .venv.
PROFILE ?= quick
PORT ?= 8000
SHELL := /bin/sh

SETTINGS := PROFILE SEED CORES HOURS PORT PYTHON PY
UNKNOWN := $(filter-out $(SETTINGS),$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
$(error unknown setting $(UNKNOWN); there are: $(SETTINGS))
endif

ifeq ($(origin PY),undefined)
PY := .venv/bin/python
READY := .venv/.installed
endif

ENGINE = $(PY) workflow/engine.py --profile "$(PROFILE)" $(if $(SEED),--seed "$(SEED)") $(if $(CORES),--cores "$(CORES)")

.PHONY: help setup book downloads pdf archive test lint test-book record reproduce accept readme pair bench serve lab clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY)  ## make .venv from requirements.lock (PYTHON=… chooses the interpreter)

.venv/.installed: requirements.lock pyproject.toml
	@PYTHON="$(PYTHON)" sh workflow/setup.sh

book: $(READY)  ## compute the results of PROFILE, execute the notebooks, build the book
	@$(ENGINE)

downloads: book  ## one PDF of the book, a zip of its pages, an archive of the recorded results; the book links to them
	@$(PY) workflow/downloads.py
	@$(ENGINE)

pdf: book  ## the book as one PDF, printed by Chromium
	@$(PY) workflow/pdf.py

archive: $(READY)  ## the recorded results as one zip that describes itself (RO-Crate), to be deposited
	@$(PY) workflow/archive.py

test: lint  ## lint, pairs in sync, unit tests, one end-to-end run of the quick profile
	$(PY) -m pytest -n 2 -rs -m "not end_to_end and not slurm and not browser"
	$(PY) -m pytest -m "end_to_end or slurm"

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-logo --no-cache
	$(PY) workflow/pair.py --check

test-book: $(READY)  ## open the built book in Chromium, with the network off
	$(PY) -m pytest -m browser

record: $(READY)  ## compute what PROFILE lacks, at low priority, for HOURS at most; commit what is finished at any time
	@$(PY) workflow/record.py --profile "$(PROFILE)" $(if $(HOURS),--hours "$(HOURS)") $(if $(CORES),--cores "$(CORES)")

reproduce: $(READY)  ## compute what is recorded of PROFILE anew, list every number that moved beyond its interval
	@$(PY) workflow/reproduce.py --profile "$(PROFILE)" $(if $(CORES),--cores "$(CORES)")

accept: $(READY)  ## put what `make reproduce` computed in the place of the recorded results of PROFILE
	@$(PY) workflow/reproduce.py --profile "$(PROFILE)" --accept

readme: $(READY)  ## write the table of verdicts in README.md from the recorded results
	@$(PY) workflow/readme.py

pair: $(READY)  ## write the side of each notebook (.py or .ipynb) that was changed to the other
	@$(PY) workflow/pair.py

bench: $(READY)  ## measure attacks, explainers and ways to curvature beside those of other libraries
	$(PY) -m benchmarks.attacks.fgsm
	$(PY) -m benchmarks.attacks.deepfool
	$(PY) -m benchmarks.explain.lime
	$(PY) -m benchmarks.geometry

serve: $(READY)  ## serve the built book on http://127.0.0.1:PORT
	@test -d _build/html || { echo "there is no book yet; first: make book" >&2; exit 2; }
	$(PY) -m http.server --bind 127.0.0.1 --directory _build/html "$(PORT)"

lab: $(READY)  ## open the notebooks in JupyterLab, which is installed first if it is not there
	@$(PY) -c "import jupyterlab" 2>/dev/null || $(PY) -m pip install --disable-pip-version-check -c requirements.lock -e ".[lab]"
	$(PY) -m jupyter lab notebooks/00_start_here.ipynb

clean:  ## remove what was built and the quick results; .venv stays
	rm -rf _build .snakemake results/quick

# The two commands of the README, and the ones that keep the house in order.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SNAKEMAKE := $(BIN)/snakemake

# Runs a study, whose config has its name, and writes its report: $(call study,<name>)
define study
	$(SNAKEMAKE) --configfile config/$(1).yaml --cores all
	$(SNAKEMAKE) --configfile config/$(1).yaml --cores 1 --quiet all --report results/$(1)/report.html
	@echo
	@echo "Done. Open $(CURDIR)/results/$(1)/report.html"
endef

.PHONY: setup demo rethink shifts silent test lint docs lock clean help
.DEFAULT_GOAL := help

help:
	@echo "make setup  install everything into $(VENV), and run nothing"
	@echo "make demo   the whole workflow on phantoms, 8 minutes on two cores"
	@echo "make rethink   how much of a network to transfer, on phantoms, a few minutes"
	@echo "make shifts   what networks meet outside of their training, on phantoms, a few minutes"
	@echo "make silent   does a network know when it is wrong? On phantoms, a few minutes"
	@echo "make test   every test and linter"
	@echo "make docs   write the tables of keys in config/README.md, as the code declares them"
	@echo "make lock   resolve pyproject.toml again, for every kind of machine"
	@echo "make clean  delete the demo's results and phantoms"

# uv installs from the lock, and comes by pip, so that nothing but Python is needed.
# The byte code is compiled once here: every job of the workflow is a new Python.
$(READY): requirements.lock
	@$(PYTHON) envs/python.py
	@echo "Installing into $(VENV) (once; about 7.5 GB with PyTorch) ..."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.9"
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python requirements.lock
	@touch $@

setup: $(READY)
	@echo "Ready: the commands are in $(BIN)."

demo: $(READY)
	$(call study,demo)

rethink: $(READY)
	$(call study,rethink_demo)

shifts: $(READY)
	$(call study,shifts_demo)

silent: $(READY)
	$(call study,silent_demo)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(SNAKEMAKE) --lint

test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

docs: $(READY)
	PYTHONPATH=workflow/scripts $(BIN)/python docs/keys.py

lock: $(READY)
	$(BIN)/python envs/lock.py

clean:
	rm -rf results/demo results/rethink_demo results/shifts_demo results/silent_demo resources/phantoms resources/weights/dead_leaves resources/weights/phantom_radiology resources/weights/small_radiology resources/weights/small_leaves

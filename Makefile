# Two commands do everything: `make demo` and `make test`. The rest is what they are made of.

PORT ?= 8000
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

export FLASK_APP := wsgi.py
export PYTHONUNBUFFERED := 1

.PHONY: demo demo-reset test setup setup-dev browser check lint types contracts texts unit lock texts-update bench clean

demo: setup
	@$(BIN)/flask demo --port $(PORT)

demo-reset: setup
	@$(BIN)/flask demo --port $(PORT) --reset

test: check unit

PATIENT_TEXTS := $(foreach language,tr en de ru,portal/translations/$(language)/LC_MESSAGES/patient)
EXTRACT := $(BIN)/pybabel -q extract -F babel.cfg --no-location --sort-output --project Clinikoop
UPDATE := $(BIN)/pybabel -q update -d portal/translations --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

setup: $(VENV)/.ready portal/translations/tr/LC_MESSAGES/messages.mo $(PATIENT_TEXTS:=.mo)
setup-dev: setup $(VENV)/.ready-dev

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Clinikoop needs Python 3.11 or newer; $$($(PYTHON) --version) found. Try: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made. On Debian: apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.ready: requirements.txt | $(VENV)/bin/python
	@echo "Installing what the portal runs on ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt $(VENV)/.ready
	@echo "Installing what checks and tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

portal/translations/tr/LC_MESSAGES/messages.mo: portal/translations/tr/LC_MESSAGES/messages.po $(VENV)/.ready
	@$(BIN)/pybabel -q compile -d portal/translations

$(PATIENT_TEXTS:=.mo): %.mo: %.po $(VENV)/.ready
	@$(BIN)/pybabel -q compile -i $< -o $@

browser:
	@.ci/browser

check: setup-dev lint types contracts texts

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint templates

types: setup-dev
	$(BIN)/mypy

contracts: setup-dev
	PYTHONPATH=. $(BIN)/lint-imports

texts: setup-dev
	$(BIN)/python -m tests.texts

unit: setup-dev browser
	$(BIN)/pytest -n $(JOBS) --dist worksteal tests

texts-update: setup-dev
	$(EXTRACT) -k _l -k lazy_gettext -k tooth_word -o portal/translations/messages.pot portal templates
	$(UPDATE) -i portal/translations/messages.pot
	$(EXTRACT) --no-default-keywords -k phrase -k phrase_n:1,2 -k mark_phrase -k tooth_word -o portal/translations/patient.pot portal templates
	$(UPDATE) -i portal/translations/patient.pot -D patient
	rm portal/translations/messages.pot portal/translations/patient.pot
	$(BIN)/python -m tests.texts english

lock: setup-dev
	$(BIN)/uv pip compile requirements.in -o requirements.txt --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --quiet
	$(BIN)/uv pip compile requirements-dev.in -o requirements-dev.txt --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-header --quiet

bench: setup-dev
	PYTHONPATH=. $(BIN)/python -m benchmarks.list_page

bench-%: setup-dev
	PYTHONPATH=. $(BIN)/python -m benchmarks.$(subst -,_,$*)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

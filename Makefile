# make run    install into .venv, render a sample clip, enrol one person, process the clip, show where the result is
# make test   install with the development extras and run all tests
# make check  formatting, lint, types, import rules
# make bench  cost of each stage and of the whole, against a plain loop and against the bound

PYTHON ?= python3
VENV ?= .venv
OUT ?= out
BIN := $(VENV)/bin

.PHONY: run test check bench clean

run: $(VENV)/.base
	@mkdir -p $(OUT)
	$(BIN)/facestream sample $(OUT)/sample.mp4
	$(BIN)/facestream enroll astronaut $(OUT)/sample-enrol/astronaut.png --gallery $(OUT)/gallery.sqlite
	$(BIN)/facestream run --source $(OUT)/sample.mp4 --gallery $(OUT)/gallery.sqlite --out $(OUT)/result --every 3 --overwrite

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

$(VENV)/.base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev,train,openvino]'
	touch $(VENV)/.base $@

clean:
	rm -rf $(VENV) $(OUT)

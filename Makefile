# make run    install into .venv, render a sample clip, enrol one person, process the clip, show where the result is
# make serve  install the extra `serve`, and run as a service with a console until Ctrl-C; CONFIG=serve.yaml: with these settings
# make fleet  a database, six cameras and three nodes of a fleet on this machine, until Ctrl-C (docs/fleet.md)
# make test   install with the development extras and run all tests: side by side, then alone those that measure how long something takes
# make check  formatting, lint, types, import rules
# make bench  cost of each stage and of the whole, against a plain loop and against the bound
# make bench-engines  makes the engines of this CPU, then recordings and cameras with the plain loop, without and with them, in turns
# make engines  every shipped model built by TensorRT-RTX for every GPU that it knows; no GPU needed
# make bench-gpu  crops/s of generators on a GPU, by torch, the share of its measured matrix peak, and faces/s of the product with JPEG; under 10 minutes
# make processors  what must not depend on the processor, where oneDNN may use bfloat16 for float32, and where it must not use it
# make lowest  install the lowest versions that pyproject.toml allows, and run what could break with them

PYTHON ?= python3
VENV ?= .venv
LOWEST ?= .venv-lowest
OUT ?= out
SAMPLE_SECONDS ?= 20
# More than cores: tests that start processes and cameras mostly wait for them.
WORKERS ?= $(shell echo $$(($$(nproc) * 3 / 2)))
BIN := $(VENV)/bin
# Says what it does: the first time it takes minutes.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --editable

PROCESSOR_TESTS := tests/sessions/test_session.py tests/models/test_dlib_embedder.py tests/verify/test_onnx_embedder.py \
	tests/super_resolve/test_manifest_generator.py tests/detect/test_grey.py tests/trt_build/systems/generator/test_export.py \
	tests/trt_build/networks/test_dlib_resnet.py tests/trt_build/systems/embedder/test_training.py
LOWEST_TESTS := tests/config tests/contracts tests/cli tests/crop tests/detect tests/models tests/pictures tests/runtime \
	tests/sessions tests/storage tests/words tests/super_resolve tests/track tests/verify $(wildcard tests/decode/test_decoder*.py) tests/pipeline/test_run.py \
	tests/enrolment/test_enrol.py tests/publish/test_encode.py tests/publish/test_endpoint.py tests/report/test_page.py \
	tests/web

.PHONY: run serve fleet test check bench bench-engines bench-gpu engines processors lowest clean

run: $(VENV)/.base
	@mkdir -p $(OUT)
	$(BIN)/facestream sample $(OUT)/sample.mp4 --seconds $(SAMPLE_SECONDS) --overwrite
	$(BIN)/facestream enrol astronaut $(OUT)/sample-enrol/astronaut.png --gallery $(OUT)/gallery.sqlite
	$(BIN)/facestream run --source $(OUT)/sample.mp4 --gallery $(OUT)/gallery.sqlite --out $(OUT)/result --every 3 --overwrite

serve: $(VENV)/.serve
	$(BIN)/facestream serve $(CONFIG)

fleet: $(VENV)/.dev
	$(BIN)/python -m tests.bench.fleet_demo --out $(OUT)/fleet

test: $(VENV)/.dev
	$(BIN)/python -m pytest -m "not alone" -n $(WORKERS) --dist worksteal
	$(BIN)/python -m pytest -m alone $$(grep -rl --include='*.py' mark.alone tests)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

bench-engines: $(VENV)/.dev
	$(BIN)/trt-build tune
	$(BIN)/python -m tests.bench --engines none,auto
	$(BIN)/python -m tests.bench.capacity --kinds 768x432@10 --profiles balanced --hold 6 --engines none,auto --plain --rounds 2
	$(BIN)/python -m tests.bench.capacity --latency --profiles balanced --seconds 60 --engines none,auto

bench-gpu: $(VENV)/.dev
	@mkdir -p $(OUT)
	$(BIN)/python -m tests.bench.gpu --json $(OUT)/gpu.jsonl
	$(BIN)/python -m tests.bench.gpu_session --precision auto,float16,bfloat16,float8 --json $(OUT)/gpu-session.jsonl

engines: $(VENV)/.dev
	$(BIN)/python -m tests.bench.engine_matrix

processors: $(VENV)/.dev
	ONEDNN_DEFAULT_FPMATH_MODE=BF16 $(BIN)/python -m pytest $(PROCESSOR_TESTS)
	ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 $(BIN)/python -m pytest $(PROCESSOR_TESTS)

lowest: $(LOWEST)/.lowest
	$(LOWEST)/bin/python -m pytest -m "not alone and not e2e" $(LOWEST_TESTS)

$(LOWEST)/.lowest: pyproject.toml
	test -x $(LOWEST)/bin/python || $(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[dev,dev-s3,openvino,serve]'
	# the extra for traces, of which nothing is tested here, asks for a later one
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --no-deps "$$(grep -o 'protobuf>=[0-9.]*' pyproject.toml | tr '>' '=')"
	touch $@

$(VENV)/.base: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): a minute or a few"
	$(INSTALL) '.[sample]'
	touch $@

$(VENV)/.serve: $(VENV)/.base
	$(INSTALL) '.[serve]'
	touch $@

$(VENV)/.dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(INSTALL) '.[dev,dev-s3,train,openvino,serve]'
	-$(INSTALL) '.[ncnn-build,trt-rtx]'  # where there are none, their tests are skipped
	-$(INSTALL) '.[dev-kafka]'  # likewise
	touch $(VENV)/.base $@

clean:
	rm -rf $(VENV) $(LOWEST) $(OUT)

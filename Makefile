# The front door. Every target makes ready what it needs, so any of them is a first command.
JOBS ?= $(shell nproc)
PYTHON := .venv/bin/python
PYTEST_PATHS := tests/integration tests/tools tests/parity tests/fuzz
GLUE ?= $(FEDTUNE_GLUE)
PREFIX ?= /usr/local

configure = cmake --preset $(1) --log-level=NOTICE $(2) >/dev/null
compile = $(call configure,$(1),$(2)) && cmake --build --preset $(1) --parallel $(JOBS)

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-unit test-long test-soak test-sanitizers fuzz parity bench bench-peer same-result package install lint clean \
        build-asan build-tsan build-no-network build-fuzz build-bench peer browser glue

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## four clients fine-tune MiniLM by FedAvg, FedLoRA and FedKDLoRA; ends with one table (under 4 minutes)
	@python3 tools/demo.py

test: build build-tsan ## unit and integration tests, and the torch-free layers under the thread sanitizer
	@$(PYTHON) tools/run_tests.py --programs build --programs build-tsan $(addprefix --pytest ,$(PYTEST_PATHS)) --pytest-jobs $(JOBS)

test-unit: build ## the unit tests only (under a minute once built)
	@$(PYTHON) tools/run_tests.py --programs build

test-long: build-bench build-asan build-no-network build-fuzz peer browser ## every layer under sanitizers, and live comparisons with the Python stack
	@$(PYTHON) tools/run_tests.py --programs build-asan-ubsan --programs build-no-network $(addprefix --pytest ,$(PYTEST_PATHS)) --pytest-marker long

test-soak: build ## kills at every write and at 200 random moments: an hour or more, in no other target
	@$(PYTHON) tools/run_tests.py $(addprefix --pytest ,$(PYTEST_PATHS)) --pytest-marker soak

test-sanitizers: build-asan ## every layer's unit tests under the address and undefined-behaviour sanitizers
	@$(PYTHON) tools/run_tests.py --programs build-asan-ubsan

fuzz: build-fuzz ## every parser and message, made-up inputs: TARGET=csv, and SECONDS=30 or RUNS=10000000 of each
	@$(PYTHON) tools/fuzz.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(RUNS),--runs $(RUNS)) $(TARGET)

parity: build peer ## logits, gradients, losses and token ids against transformers and peft, live
	@.venv-peer/bin/python tests/parity/run.py --build build $(if $(GLUE),--glue $(GLUE))

bench: build-bench ## each hot path on one core, as a share of its peak of FMA or of copying memory
	@build/bench/nn_bench models/minilm examples/opinions

bench-peer: build-bench peer glue ## the same work by the Python stack on the same cores; GLUE=folder, ROWS="lora round", QUICK=1, PEER="--steps 8"
	@.venv-peer/bin/python bench/peer/bench.py --bench build/bench/step_bench --data $(GLUE) --vocabulary models/minilm \
	  --work bench/results/tmp/peer --results bench/results $(if $(ROWS),--rows $(ROWS)) $(if $(QUICK),--quick) $(PEER)

same-result: build peer glue ## three federations here and three in the Python stack, compared; needs GLUE=folder
	@for side in peer ours compare; do .venv-peer/bin/python bench/peer/same_result.py $$side --model models/minilm \
	  --data $(GLUE) --output bench/results/tmp/same || exit; done

package: build ## dist/: the program with its libraries, for machines with neither Python nor the packages of make setup
	@tools/package.sh build dist

install: build ## PREFIX (/usr/local): the program with its libraries, and what find_package(fedtune) needs
	@tools/install.sh build $(PREFIX)

lint: setup ## formatting, clang-tidy on what changed (LINT_ALL=1: on everything), layers, leftovers
	@$(call configure,dev)
	@tools/lint.sh

build: setup ## set-up included; the program is build/fedtune
	@$(call compile,release)

setup: ## system packages, .venv and models/minilm; does nothing where all is there
	@tools/setup.sh

clean: ## removes the build folders (.venv, models and results stay)
	@rm -rf build build-dev build-asan-ubsan build-tsan build-no-network build-fuzz

build-asan: setup
	@$(call compile,asan-ubsan)

build-tsan: setup
	@$(call compile,tsan)

build-no-network: setup
	@$(call compile,no-network)

build-fuzz: setup
	@tools/setup.sh fuzz
	@$(call compile,fuzz)

build-bench: setup
	@$(call compile,release,-DFEDTUNE_BENCH=ON)

glue:
	$(if $(GLUE),,$(error say where GLUE's folders CoLA and SST-2 are: make $(MAKECMDGOALS) GLUE=folder))
	@:

peer:
	@tools/setup.sh peer

browser:
	@tools/setup.sh browser

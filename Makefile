# SPDX-License-Identifier: MIT
# `make help` lists what can be made. Everything that is made is under build/.

NAME := kinesis-stream-logs-extension
VERSION := $(shell sed -n 's/^.define VERSION "\(.*\)"/\1/p' include/app/version.h)
HOST_ARCH := $(subst aarch64,arm64,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
ifeq ($(filter $(ARCH),x86_64 arm64),)
$(error ARCH=$(ARCH); it is x86_64 or arm64)
endif
EXTENSION := build/extensions/$(NAME)
LAYER := build/layer-$(ARCH)

SHELL := /bin/bash
MAKEFLAGS += --jobs=$(shell nproc) --no-builtin-rules
.DEFAULT_GOAL := extension
.DELETE_ON_ERROR:
.SECONDARY:

include .make/packages.mk
include .make/compile.mk
include .make/test.mk
include .make/torture.mk
include .make/emulated.mk
include .make/bench.mk
include .make/infra.mk
include .make/lint.mk

##@ Build

.PHONY: extension
extension: $(EXTENSION) ## What plain `make` makes: build/extensions/, to develop with
$(EXTENSION): $(OBJECTS_dev)
	$(call link,dev)

.PHONY: layer
layer: $(LAYER).zip ## ARCH=x86_64|arm64: the static binary in build/layer-ARCH/ and the layer's zip beside it
define layer_rule
build/layer-$(1)/extensions/$(NAME): $(OBJECTS_layer-$(1))
	$$(call link,layer-$(1))
	@$(TRIPLET_$(1))-strip $$@ && chmod 755 $$@
endef
$(foreach architecture,x86_64 arm64,$(eval $(call layer_rule,$(architecture))))
build/layer-%.zip: build/layer-%/extensions/$(NAME) .make/layer-zip.sh | build/packages/layer
	@.make/layer-zip.sh $(<D)/.. $@

.PHONY: release
release: build/layer-x86_64.zip build/layer-arm64.zip ## What is published, in build/release: both zips, SBOMs, licences, checksums
	@.make/release.sh $(NAME) $(VERSION) build/release

.PHONY: build-KinesisStreamLogsApiExtensionLayer
build-KinesisStreamLogsApiExtensionLayer: $(LAYER)/extensions/$(NAME)
	install -D --mode=755 $< "$(ARTIFACTS_DIR)/extensions/$(NAME)"

##@ Test

.PHONY: test unit torture fuzz-replay emulated instructions functional rie template infra terraform reliability soak fuzz bench demo
test unit torture fuzz-replay emulated instructions functional template infra: | build/packages/python
test: $(UNIT_PROGRAMS) $(TORTURE_NEEDS) $(REPLAY_PROGRAMS) $(EMULATED_NEEDS) $(INSTRUCTIONS_NEEDS) $(FUNCTIONAL_NEEDS) $(TEMPLATE_NEEDS) $(INFRA_NEEDS) ## The next eight, with a quick torture, and one line of totals
	@TORTURE_RUNS=$(TORTURE_RUNS_IN_TEST) $(RUN_SUITES) $(UNIT_SUITE) $(TORTURE_SUITE) $(REPLAY_SUITE) $(EMULATED_SUITE) $(INSTRUCTIONS_SUITE) $(FUNCTIONAL_SUITE) $(TEMPLATE_SUITE) $(INFRA_SUITE)
unit: $(UNIT_PROGRAMS) ## Unit tests, under ASan and UBSan
	@$(RUN_SUITES) $(UNIT_SUITE)
torture: $(TORTURE_NEEDS) ## [TORTURE_RUNS=n] Unit tests again and again, each time with another allocation failing
	@$(RUN_SUITES) $(TORTURE_SUITE)
fuzz-replay: $(REPLAY_PROGRAMS) ## Every input in the fuzz corpora, under ASan and UBSan
	@$(RUN_SUITES) $(REPLAY_SUITE)
emulated: $(EMULATED_NEEDS) ## Unit tests of the other architecture's layer, by way of QEMU
	@$(RUN_SUITES) $(EMULATED_SUITE)
instructions: $(INSTRUCTIONS_NEEDS) ## Instructions for each byte of logs, against tests/bench/instructions.json; RENEW=1 writes that
	@$(if $(RENEW),$(PYTHON) tests/bench/instructions.py --renew,$(RUN_SUITES) $(INSTRUCTIONS_SUITE))
functional: $(FUNCTIONAL_NEEDS) ## The binary in a local Lambda environment; SANITIZE=address|thread builds it that way
	@$(RUN_SUITES) $(FUNCTIONAL_SUITE)
rie: $(RIE_NEEDS) ## The layer in AWS's own emulator, the Runtime Interface Emulator
	@$(RUN_SUITES) --rie
template: $(TEMPLATE_NEEDS) ## template.yaml: sam validate --lint, sam build, and what it deploys
	@$(RUN_SUITES) $(TEMPLATE_SUITE)
infra: $(INFRA_NEEDS) ## docs/deploy.md and infra/: their commands, templates and images, tried on a local account
	@$(RUN_SUITES) $(INFRA_SUITE)
terraform: $(TOFU) $(TOFU_PROVIDER) build/venv/installed ## infra/terraform by OpenTofu; the first time builds that, for minutes
	@$(PYTHON) -m pytest tests/terraform
reliability: $(BINARY) build/venv/installed ## Long outages and freezes, too little memory: about five minutes
	@EXTENSION_BINARY=$(abspath $(BINARY)) $(PYTHON) -m pytest tests/reliability
soak: $(BINARY) build/venv/installed ## [MINUTES=10] [SEED=text] Random loads and faults; SANITIZE=address|thread too
	@EXTENSION_BINARY=$(abspath $(BINARY)) MINUTES=$(MINUTES) SEED=$(SEED) $(PYTHON) tests/soak/soak.py
fuzz: $(FUZZ_PROGRAM) ## T=target [TIME=seconds]: looks for new inputs with libFuzzer, into build/fuzz/corpus/
	$(call fuzz,$(T))
bench: $(BENCH_NEEDS) ## [BENCH_QUICK=1] [BENCH_ONLY=ndjson/200] What the static binary costs, and the floor that it is compared with
	@EXTENSION_BINARY=$(abspath $(LAYER_HERE)) $(PYTHON) tests/bench/bench.py
demo: $(EXTENSION) build/venv/installed ## [API=telemetry] [KIND=managed-instances] Invokes hello-world three times and shows what arrived in Kinesis
	@API=$(API) KIND=$(KIND) EXTENSION_BINARY=$(abspath $(EXTENSION)) $(PYTHON) tests/demo/demo.py

##@ Care

.PHONY: lint check format compdb clean distclean help
lint: $(LINT) ## Formatting, clang-tidy, cppcheck, layers, headers, banned functions, shellcheck, ruff
check: ## What CI runs: lint, then test
	@.ci/run
format: build/packages/lint build/venv/installed ## Formats all C and Python
	@$(CLANG_FORMAT) -i $(C_FILES)
	@$(RUFF) check --quiet --fix tests; $(RUFF) format --quiet tests
compdb: ## compile_commands.json, for editors
	$(call compdb)
clean: ## Removes what was built here; libraries and what the tests installed stay
	rm -rf $(filter-out build/libraries build/packages build/venv build/sam-venv build/kinesis-local build/cdk build/go-venv build/tofu,$(wildcard build/*))
distclean: ## Removes all of build/
	rm -rf build
help: ## This list
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

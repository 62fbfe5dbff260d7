# SPDX-License-Identifier: MIT
# The suites that `make test` counts: what each needs, and how tests/run_suites.py is asked for it.

PYTHON := build/venv/bin/python
RUN_SUITES = /usr/bin/python3 tests/run_suites.py

# Tests are linked with all of src/ as an archive, so that a module which a test replaces by its own is left out.
build/objects/asan/src.a: $(LIBRARY_SOURCES:%.c=build/objects/asan/%.o)
	$(call archive)
build/objects/fuzz/src.a: $(LIBRARY_SOURCES:%.c=build/objects/fuzz/%.o)
	$(call archive)
archive = @rm -f $@; ar rcs $@ $^

# Unit: each tests/unit/LAYER/test_NAME.c is a program, linked with all of src/ and with what tests/unit shares.
UNIT_TESTS := $(wildcard tests/unit/*/test_*.c)
UNIT_SHARED := $(filter-out $(UNIT_TESTS),$(wildcard tests/unit/*.c tests/unit/*/*.c))
UNIT_PROGRAMS := $(UNIT_TESTS:tests/%.c=build/%)
UNIT_SUITE = --unit $(UNIT_PROGRAMS)
asan_objects = $(patsubst %.c,build/objects/asan/%.o,$(1))

$(call asan_objects,$(UNIT_TESTS) $(UNIT_SHARED)): | build/packages/unit
$(UNIT_PROGRAMS): LIBRARIES += -lcmocka
$(UNIT_PROGRAMS): build/unit/%: build/objects/asan/tests/unit/%.o $(call asan_objects,$(UNIT_SHARED)) build/objects/asan/src.a
	$(call link,asan)

# Fuzzing: each tests/fuzz/fuzz_TARGET.c is linked with libFuzzer to look for inputs, and with a main of our own,
# which needs no clang, to replay those in tests/fuzz/corpus/TARGET.
FUZZ_TARGETS := $(wildcard tests/fuzz/fuzz_*.c)
REPLAY_PROGRAMS := $(FUZZ_TARGETS:tests/fuzz/%.c=build/replay/%)
REPLAY_SUITE = --fuzz-replay $(REPLAY_PROGRAMS)
TIME ?= 60
MINUTES ?= 10

$(REPLAY_PROGRAMS): build/replay/%: build/objects/asan/tests/fuzz/%.o build/objects/asan/tests/fuzz/replay.o build/objects/asan/src.a
	$(call link,asan)
build/fuzz/fuzz_%: build/objects/fuzz/tests/fuzz/fuzz_%.o build/objects/fuzz/src.a
	$(call link,fuzz)
FUZZ_PROGRAM := $(if $(T),build/fuzz/fuzz_$(T),which-target)
.PHONY: which-target
which-target:
	$(error T is one of: $(FUZZ_TARGETS:tests/fuzz/fuzz_%.c=%))
fuzz = @mkdir -p build/fuzz/corpus/$(1); cd build/fuzz && \
    ./fuzz_$(1) -max_total_time=$(TIME) corpus/$(1) $(CURDIR)/tests/fuzz/corpus/$(1)

# What the README's table of settings is checked against.
build/tools/print_settings: build/objects/asan/tests/tools/print_settings.o build/objects/asan/src.a
	$(call link,asan)

# What docs/formats.md says that records of other sizes would cost; as fast as what is shipped.
build/tools/measure_packing: build/objects/dev/tests/tools/measure_packing.o $(LIBRARY_SOURCES:%.c=build/objects/dev/%.o)
	$(call link,dev)

# The binaries that are shipped, for the tests that run them where there is nothing else.
LAYER_HERE := build/layer-$(HOST_ARCH)/extensions/$(NAME)

# Functional: pytest, on the development binary or on a sanitized build of it.
BINARY_ := $(EXTENSION)
BINARY_address := build/asan/extensions/$(NAME)
BINARY_thread := build/tsan/extensions/$(NAME)
BINARY = $(or $(BINARY_$(SANITIZE)),$(error SANITIZE=$(SANITIZE); it is address or thread))
FUNCTIONAL_NEEDS = $(BINARY) $(LAYER_HERE) $(LAYER_OTHER) build/packages/emulator build/packages/functional build/venv/installed \
    build/tools/print_settings build/kinesis-local/installed
FUNCTIONAL_SUITE = --functional $(BINARY)

$(BINARY_address): $(OBJECTS_asan)
	$(call link,asan)
$(BINARY_thread): $(OBJECTS_tsan)
	$(call link,tsan)

# AWS's Runtime Interface Emulator, which the SAM CLI has inside.
RIE_NEEDS = $(LAYER_HERE) build/packages/functional build/venv/installed build/sam-venv/installed build/kinesis-local/installed

# Template: the SAM CLI, which brings its own Python environment.
TEMPLATE_NEEDS := build/sam-venv/installed build/venv/installed build/libraries/x86_64/VERSIONS
TEMPLATE_SUITE := --template

# What npm installs is for the Node.js that the Python environment brings; its lock has the hashes.
build/kinesis-local/installed: tests/kinesis/kinesis-local/package-lock.json build/venv/installed
	$(call node_packages,$(<D))
node_packages = @echo "Node.js packages of $(1)"; mkdir -p $(@D); cp $(1)/package*.json $(@D); \
    PATH=$(abspath build/venv/bin):$$PATH NODE_DISABLE_COMPILE_CACHE=1 \
    npm ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error && touch $@

build/venv/installed: tests/requirements.txt | build/packages/python
	$(call virtual_environment,$<)
build/sam-venv/installed: tests/sam-requirements.txt | build/packages/python
	$(call virtual_environment,$<)
# Never through a symbolic link: --clear would empty what it points to.
virtual_environment = @test ! -L $(@D) && echo "Python packages of $(1)" && \
    /usr/bin/python3 -m venv --clear $(@D) && \
    $(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(1) && touch $@

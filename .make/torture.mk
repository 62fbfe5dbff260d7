# SPDX-License-Identifier: MIT
# Torture: every unit test again and again, each time with another allocation failing in src/ or in a library that it
# is linked with. Their objects are those of the asan variant, but with the allocators of tests/torture.

TORTURE := build/objects/torture
TORTURE_PROGRAMS := $(UNIT_TESTS:tests/unit/%.c=build/torture/%)
TORTURE_TESTS := $(patsubst tests/%.c,build/%,$(wildcard tests/torture/test_*.c))
TORTURE_RUNS_IN_TEST := 1 # of each test in each way
TORTURE_LIBRARIES := $(patsubst %,$(TORTURE)/lib%.a,curl microhttpd cjson deflate cares)
TORTURE_NEEDS := $(TORTURE_TESTS) $(TORTURE_PROGRAMS)
TORTURE_SUITE = --torture $(TORTURE_NEEDS)

$(TORTURE_NEEDS): LIBRARIES += -lcmocka
$(TORTURE_NEEDS): LDFLAGS_asan += -L$(TORTURE)
$(TORTURE_PROGRAMS): LDFLAGS_asan += -Wl,--wrap=_cmocka_run_group_tests
$(TORTURE_PROGRAMS): build/torture/%: build/objects/asan/tests/unit/%.o $(TORTURE)/shared.o \
    $(call asan_objects,tests/torture/torture.c tests/torture/failing_memory.c) $(TORTURE)/src.a | $(TORTURE_LIBRARIES)
	$(call link,asan)
$(TORTURE_TESTS): build/%: build/objects/asan/tests/%.o $(TORTURE)/shared.o \
    $(call asan_objects,tests/torture/failing_memory.c) $(TORTURE)/src.a | $(TORTURE_LIBRARIES)
	$(call link,asan)

# What tests share has a base/buf of its own, which never fails.
$(TORTURE)/shared.o: $(call asan_objects,$(UNIT_SHARED) src/base/buf.c)
	@mkdir -p $(@D)
	@ld -r $^ -o $@ && objcopy --wildcard --localize-symbol='buf_*' $@

$(TORTURE)/src.a: build/objects/asan/src.a tests/torture/allocators.syms
	$(call failing_memory)
$(TORTURE_LIBRARIES): $(TORTURE)/%.a: build/libraries/$(HOST_ARCH)/VERSIONS tests/torture/allocators.syms
	$(call failing_memory,build/libraries/$(HOST_ARCH)/lib/$*.a)
failing_memory = @mkdir -p $(@D); objcopy --redefine-syms=tests/torture/allocators.syms $(or $(1),$<) $@

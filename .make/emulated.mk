# SPDX-License-Identifier: MIT
# The layer of the other architecture than this machine's, tried here: its unit tests and, in tests/functional, the
# binary itself, by way of QEMU's user mode emulation.

OTHER_ARCH := $(if $(filter x86_64,$(HOST_ARCH)),arm64,x86_64)
EMULATOR_arm64 := qemu-aarch64-static
EMULATOR_x86_64 := qemu-x86_64-static
EMULATOR := $(EMULATOR_$(OTHER_ARCH)) -L /usr/$(TRIPLET_$(OTHER_ARCH)) -E LD_LIBRARY_PATH=$(abspath build/libraries/cmocka-$(OTHER_ARCH))/lib
LAYER_OTHER := build/layer-$(OTHER_ARCH)/extensions/$(NAME)
CMOCKA_OTHER := build/libraries/cmocka-$(OTHER_ARCH)

# The objects are those of the layer, so that what is tested is what is shipped; only these programs are not static,
# as Debian's cmocka is not.
other_objects = $(patsubst %.c,build/objects/layer-$(OTHER_ARCH)/%.o,$(1))
# The model of the shipper takes minutes here, and has nothing that depends on the processor.
EMULATED_PROGRAMS := $(patsubst tests/unit/%.c,build/emulated/%,$(filter-out %/test_shipper_model.c,$(UNIT_TESTS)))
EMULATED_NEEDS := $(EMULATED_PROGRAMS) build/packages/emulator
EMULATED_SUITE = --emulator "$(EMULATOR)" --emulated $(EMULATED_PROGRAMS)

$(call other_objects,$(UNIT_TESTS) $(UNIT_SHARED)): CPPFLAGS += -isystem $(CMOCKA_OTHER)/include
$(call other_objects,$(UNIT_TESTS) $(UNIT_SHARED)): | $(CMOCKA_OTHER)
$(EMULATED_PROGRAMS): LIBRARIES += -L$(CMOCKA_OTHER)/lib -lcmocka
$(EMULATED_PROGRAMS): LDFLAGS_layer-$(OTHER_ARCH) := -pie
$(EMULATED_PROGRAMS): build/emulated/%: build/objects/layer-$(OTHER_ARCH)/tests/unit/%.o \
    $(call other_objects,$(UNIT_SHARED)) build/objects/layer-$(OTHER_ARCH)/src.a | $(CMOCKA_OTHER)
	$(call link,layer-$(OTHER_ARCH))
build/objects/layer-$(OTHER_ARCH)/src.a: $(call other_objects,$(LIBRARY_SOURCES))
	$(call archive)
$(CMOCKA_OTHER): .make/cmocka.sh | build/packages/build
	@.make/cmocka.sh $(OTHER_ARCH) $@ && touch $@

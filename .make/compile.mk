# SPDX-License-Identifier: MIT
# How C becomes objects, and objects become programs. A variant is one compiler with one set of flags:
#   dev                        what developers and the functional tests run
#   layer-x86_64, layer-arm64  what is shipped: the same code and libraries, static
#   asan, tsan                 gcc's sanitizers; unit tests and fuzz replay are built as asan
#   fuzz                       clang's libFuzzer with its sanitizers
# A variant's objects are in build/objects/VARIANT/, at the paths of their sources.

VARIANTS := dev layer-x86_64 layer-arm64 asan tsan fuzz
LIBRARY_SOURCES := $(wildcard src/*/*.c)
PROGRAM_SOURCES := $(LIBRARY_SOURCES) extensions/$(NAME).c

TRIPLET_x86_64 := x86_64-linux-gnu
TRIPLET_arm64 := aarch64-linux-gnu

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wconversion \
    -Wsign-conversion -Wcast-qual -Wundef -Wnull-dereference -Wswitch-enum -Werror
HARDENED := -O2 -g -fPIE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection
SHIPPED := $(HARDENED) -flto=auto -ffunction-sections -fdata-sections -ffile-prefix-map=$(CURDIR)=.
SANITIZED := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all

CC_dev := gcc
CC_layer-x86_64 := $(TRIPLET_x86_64)-gcc
CC_layer-arm64 := $(TRIPLET_arm64)-gcc
CC_asan := gcc
CC_tsan := gcc
CC_fuzz := clang-14

CFLAGS_dev := $(HARDENED)
CFLAGS_layer-x86_64 := $(SHIPPED) -fcf-protection
CFLAGS_layer-arm64 := $(SHIPPED) -mbranch-protection=standard
CFLAGS_asan := $(SANITIZED) -fsanitize=address,undefined
CFLAGS_tsan := $(SANITIZED) -fsanitize=thread
CFLAGS_fuzz := $(SANITIZED) -fsanitize=address,undefined,fuzzer-no-link

# No linker warnings in the layer: OpenSSL and c-ares hold functions that look names up or load modules by way of
# the host's glibc. Nothing calls them, and `make lint` sees to it that the code here does not either.
LINK_HARDENED := -Wl,-z,relro,-z,now
# No build id either: it would be of what is stripped away later, with this folder's name in it.
LINK_LAYER := -static-pie $(SHIPPED) $(LINK_HARDENED) -Wl,--gc-sections,--no-warnings,--build-id=none

LDFLAGS_dev := -pie $(LINK_HARDENED)
LDFLAGS_layer-x86_64 := $(LINK_LAYER) -Wl,-z,pack-relative-relocs# half a megabyte; Debian 12's linker has it for x86 only
LDFLAGS_layer-arm64 := $(LINK_LAYER)
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_fuzz := -fsanitize=address,undefined,fuzzer

CPPFLAGS := -D_GNU_SOURCE -Iinclude -Ibuild/generated
LIBRARIES := -lcurl -lmicrohttpd -lcjson -ldeflate -lssl -lcrypto -lcares -pthread
libraries = build/libraries/$(or $(patsubst layer-%,%,$(filter layer-%,$(1))),$(HOST_ARCH))

# $(call compile,VARIANT) and $(call link,VARIANT) are recipes. V=1 shows their commands.
show = $(if $(V),,@echo "  $(1)"; )
compile = $(call show,$(CC_$(1)) $<)mkdir -p $(@D); $(CC_$(1)) -std=gnu11 $(WARNINGS) $(CFLAGS_$(1)) $(CPPFLAGS) \
    -isystem $(call libraries,$(1))/include -MMD -MP -c $< -o $@
link = $(call show,link $@)mkdir -p $(@D); $(CC_$(1)) $(LDFLAGS_$(1)) $(filter %.o %.a,$^) \
    -L$(call libraries,$(1))/lib $(LIBRARIES) -o $@

# A library that is made again makes everything again.
COMPILED_WITH := Makefile .make/compile.mk build/generated/amazon_roots.h

PACKAGES_FOR_fuzz := build/packages/fuzz

define variant_rules
OBJECTS_$(1) := $(PROGRAM_SOURCES:%.c=build/objects/$(1)/%.o)
build/objects/$(1)/%.o: %.c $(COMPILED_WITH) $(call libraries,$(1))/VERSIONS | build/packages/build $(PACKAGES_FOR_$(1))
	$$(call compile,$(1))
-include $$(wildcard build/objects/$(1)/*/*.d build/objects/$(1)/*/*/*.d build/objects/$(1)/*/*/*/*.d)

endef
$(foreach variant,$(VARIANTS),$(eval $(call variant_rules,$(variant))))

build/libraries/x86_64/VERSIONS: | build/packages/toolchain-x86_64
build/libraries/arm64/VERSIONS: | build/packages/toolchain-arm64
build/libraries/%/VERSIONS: .make/static-libraries.sh .make/apt-private.sh | build/packages/build
	@.make/static-libraries.sh $* $(@D)

build/generated/amazon_roots.h: .make/amazon-roots.sh | build/packages/build
	@mkdir -p $(@D)
	@.make/amazon-roots.sh >$@

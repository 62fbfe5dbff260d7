# SPDX-License-Identifier: MIT
# Every Debian package that anything here needs, by the purpose that it is needed for. COMMAND:PACKAGE means that the
# command may also come from elsewhere.

PACKAGES_build := make gcc libc6-dev dpkg-dev ca-certificates
PACKAGES_toolchain-$(HOST_ARCH) := gcc
PACKAGES_toolchain-$(if $(filter x86_64,$(HOST_ARCH)),arm64) := gcc-aarch64-linux-gnu libc6-dev-arm64-cross
PACKAGES_toolchain-$(if $(filter arm64,$(HOST_ARCH)),x86_64) := gcc-x86-64-linux-gnu libc6-dev-amd64-cross
PACKAGES_layer := zip
PACKAGES_unit := libcmocka-dev
PACKAGES_emulator := qemu-user-static
PACKAGES_instructions := valgrind
PACKAGES_functional := strace libfaketime
PACKAGES_infra := unzip
PACKAGES_fuzz := clang-14 libclang-rt-14-dev
PACKAGES_lint := clang-format-14 clang-tidy-14 cppcheck shellcheck
PACKAGES_python := python3 python3-venv

# A stamp says that the packages have been there; it is made again when the lists above change.
build/packages/%: .make/packages.mk .make/install-packages.sh
	@mkdir -p $(@D)
	@.make/install-packages.sh $(PACKAGES_$*)
	@touch $@

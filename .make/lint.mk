# SPDX-License-Identifier: MIT
# What `make lint` checks, each under a name of its own (`make lint-tidy`, say), and what `make format` formats with.

C_FILES := $(wildcard include/*/*.h src/*/*.c extensions/*.c tests/unit/*.[ch] tests/unit/*/*.[ch] tests/torture/*.[ch] tests/fuzz/*.[ch] tests/tools/*.c tests/bench/*.[ch])
C_CODE := $(LIBRARY_SOURCES) extensions/$(NAME).c
HEADERS := $(wildcard include/*/*.h)
SHELL_FILES := $(wildcard .make/*.sh .ci/run tests/*/*.sh)
CLANG_FORMAT := clang-format-14
RUFF := build/venv/bin/ruff
LINT_FLAGS = -std=gnu11 $(CPPFLAGS) -isystem $(call libraries,dev)/include
LINT_NEEDS := build/packages/lint $(call libraries,dev)/VERSIONS build/generated/amazon_roots.h

LINT := lint-format lint-rules lint-headers lint-shell lint-python lint-cppcheck lint-tidy
.PHONY: $(LINT)
$(LINT): $(LINT_NEEDS)

lint-format:
	@$(CLANG_FORMAT) --dry-run --Werror $(C_FILES) || { echo "run: make format"; exit 1; }

# The layer table, the doors, banned functions, SPDX lines; first that the script finds what it should.
lint-rules: build/venv/installed
	@$(PYTHON) -m pytest --quiet --no-header tests/lint
	@$(PYTHON) tests/lint/code_rules.py

# Each header is a contract that can be read, and compiled, alone.
lint-headers:
	@for header in $(HEADERS); do \
	    echo "#include \"$${header#include/}\"" | gcc -fsyntax-only -x c $(LINT_FLAGS) $(WARNINGS) - || exit 1; done

lint-shell:
	@shellcheck --external-sources $(SHELL_FILES)

lint-python: build/venv/installed
	@$(RUFF) check --quiet tests && $(RUFF) check --quiet --config tests/ruff.toml .make
	@$(RUFF) format --quiet --check tests && $(RUFF) format --quiet --check --config tests/ruff.toml .make || { echo "run: make format"; exit 1; }

# Uninitialised variables are left to gcc and clang: cppcheck takes an array of length 0 for one.
lint-cppcheck:
	@cppcheck --quiet --std=c11 --library=posix --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingInclude --suppress=readdirCalled --suppress=uninitvar --error-exitcode=1 -D_GNU_SOURCE -Iinclude $(C_CODE)

lint-tidy: $(C_CODE:%.c=build/lint/%.tidy)
build/lint/%.tidy: %.c .clang-tidy $(HEADERS) | $(LINT_NEEDS)
	@echo "  clang-tidy $<"; mkdir -p $(@D); clang-tidy-14 --quiet $< -- $(LINT_FLAGS) 2>$@.log || { cat $@.log; exit 1; }
	@touch $@

# An editor needs to know one command for each file, whatever has been built so far.
define compdb
	@for file in $(C_CODE) $(UNIT_TESTS) $(UNIT_SHARED) $(FUZZ_TARGETS); do \
	    printf '{"directory": "%s", "file": "%s", "command": "gcc %s -c %s"}\n' \
	        "$(CURDIR)" "$$file" '$(LINT_FLAGS) $(WARNINGS)' "$$file"; \
	done | sed -e '1s/^/[\n/' -e '$$!s/$$/,/' -e '$$s/$$/\n]/' >compile_commands.json
endef

# What a machine can say about the code without running it.

c_files := $(filter-out tests/lint/fixtures/%,$(sort $(shell find lib boot kernel userland \
	host policy vboot attest tests -name '*.[ch]' 2>/dev/null)))

.PHONY: check check-format check-compilers check-static format
check: check-format check-compilers check-static ## format, layers, both compilers, static analysis
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/run lint

check-format: $(DEPS)/ready.mk
	clang-format --dry-run --Werror $(c_files)

format: ## let clang-format settle the layout
	clang-format -i $(c_files)

# The other compiler builds into a folder of its own, so that neither disturbs the other.
other_cc := $(if $(is_clang),gcc,clang)
check-compilers: all test-programs
	$(Q)$(MAKE) CC=$(other_cc) BUILD=$(BUILD)/$(other_cc) DEPS=$(DEPS) all test-programs

# Warnings that are bugs; style is clang-format's. The kernel's and lib/'s own macros
# are found through -I; system headers are not looked into.
check-static:
	cppcheck --quiet --error-exitcode=1 --inline-suppr -j 2 --std=c11 \
		--enable=warning,portability --suppress=missingIncludeSystem \
		--suppress=preprocessorErrorDirective \
		-I. -Ikernel $(filter %.c,$(filter-out tests/%,$(c_files)))

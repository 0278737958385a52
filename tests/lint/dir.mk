# What a machine can say about the code without running it.

c_files := $(filter-out tests/lint/fixtures/%,$(sort $(shell find lib boot kernel userland \
	host policy vboot attest tests -name '*.[ch]' 2>/dev/null)))

reflowed := $(c_files) $(wildcard lib/abi/*.def kernel/*/*/*.S boot/*/*.S)

.PHONY: check check-format check-compilers check-static format
check: check-format check-compilers check-static ## format, layers, both compilers, static analysis
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/run lint

check-format: $(DEPS)/ready.mk
	clang-format --dry-run --Werror $(c_files)

format: ## let clang-format settle the layout, and wrap long comments
	$(PYTHON) tools/reflow.py $(reflowed)
	clang-format -i $(c_files)
	$(PYTHON) tools/reflow.py $(reflowed)

# The other compiler builds into a folder of its own, so that neither disturbs the other.
other_cc := $(if $(is_clang),gcc,clang)
check-compilers: all test-programs
	$(Q)$(MAKE) CC=$(other_cc) BUILD=$(BUILD)/$(other_cc) DEPS=$(DEPS) all test-programs

# Warnings that are bugs; style is clang-format's. A -D makes cppcheck look at just that
# configuration, which is what tables included with other macros each time need.
check-static: $(DEPS)/ready.mk
	cppcheck --quiet --error-exitcode=1 --inline-suppr -j 2 --std=c11 -D__x86_64__=1 \
		--enable=warning,portability --suppressions-list=tests/lint/cppcheck.txt \
		-I. -Ikernel $(filter %.c,$(filter-out tests/%,$(c_files)))

# Tests, checks and measurements. What runs them is tests/run.
include tests/unit/dir.mk
include tests/guest/dir.mk
include tests/stress/dir.mk
include tests/fuzz/dir.mk
include tests/lint/dir.mk
include tests/bench/dir.mk

.PHONY: test test-fast
test: all test-programs fuzz-programs $(STRESS) ## every test; the last line is "N passed, M failed"
	$(Q)BUILD=$(BUILD) DEPS=$(DEPS) $(PYTHON) tests/run all

.PHONY: python-tests
python-tests: all ## Python's own tests in the debian root and under Linux, compared; MODULES=
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/python/compare.py $(MODULES)

.PHONY: selftests
selftests: all ## the Linux kernel's selftests in the debian root and under Linux, compared; PROGRAMS=
	$(Q)tests/selftests/fetch.sh $(DEPS)/selftests
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/selftests/compare.py --sources $(DEPS)/selftests \
		-j 2 --logs $(BUILD)/selftests/logs $(PROGRAMS)

.PHONY: sandboxes
sandboxes: all ## programs that confine themselves by seccomp, in the debian root
	$(Q)tests/sandboxes/fetch.sh $(DEPS)/sandboxes
	$(Q)BUILD=$(BUILD) DEPS=$(DEPS) $(PYTHON) tests/run debian --only sandboxes

test-fast: unit-tests $(BUILD)/kernel.elf ## lint and host unit tests, under a minute
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/run lint unit

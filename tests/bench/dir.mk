# Measurements: Mayfly against an empty VM and against Debian's kernel, as ratios.
# `make bench BENCH="boot ubench"` runs only those; see tests/bench/run.py.

BENCH ?= all
bench_programs := $(addprefix $(BUILD)/tests/bench/,ubench hello tsc programs linux_init audit)
# ubench was written outside this tree; it is dense on purpose.
$(BUILD)/guest/tests/bench/ubench.o: warnings = -Wall
$(foreach program,$(bench_programs),$(eval $(call guest_program,$(program),\
	$(BUILD)/guest/tests/bench/$(notdir $(program)).o,-s)))

$(BUILD)/tests/bench/empty.elf: $(BUILD)/guest/tests/bench/empty.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(LD) -m elf_x86_64 -static -z noexecstack -Ttext=0x100000 -e start -o $@ $<

# Debian's cloud kernel and modules, unpacked beside the sources and never installed.
linux := $(DEPS)/linux/vmlinuz
$(linux): tools/fetch-linux
	$(call say,FETCH,$@)
	$(Q)tools/fetch-linux $(@D)

.PHONY: bench
bench: all $(bench_programs) $(BUILD)/tests/bench/empty.elf $(linux) ## Mayfly's numbers against an empty VM and Debian's kernel
	$(Q)BUILD=$(BUILD) DEPS=$(DEPS) $(PYTHON) tests/bench/run.py $(BENCH)

# The stressors: one static program, run in a VM with 1 and 4 CPUs. `make test` runs each
# stressor for a second.
STRESS := $(BUILD)/tests/stress/stress
stress_objects := $(call objects,guest,$(call sources,tests/stress))
$(stress_objects): guest_cflags += -Itests/stress
$(eval $(call guest_program,$(STRESS),$(stress_objects),-Wl$(comma)-S))

SECONDS ?= 16
.PHONY: stress
stress: all $(STRESS) ## every stressor for SECONDS (16: ten minutes) with 1 and 4 CPUs
	$(Q)BUILD=$(BUILD) STRESS_SECONDS=$(SECONDS) $(PYTHON) tests/run stress

# Debian's stress-ng in the `debian` root: twenty minutes, for 250 stressors. In parts: QEMU
# keeps what it translated of a page of text for every address that it ran at, and when such a
# page is used again each store looks through all of it. After thousands of execve, which
# chooses addresses at random, that is seconds a page.
.PHONY: stress-ng
stress-ng: SECONDS := 1
stress-ng: all ## Debian's stress-ng, each stressor for SECONDS with 1 and 4 CPUs
	$(Q)for cpus in 1 4; do for part in 1/4 2/4 3/4 4/4; do \
		$(BUILD)/mayfly run --root debian --user root --mem 1G --cpus $$cpus --timeout 0 -- \
			tests/debian/stress-ng.sh $(SECONDS) $$part || exit; \
	done; done

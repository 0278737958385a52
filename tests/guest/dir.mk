# Guest test programs: each .c of tests/guest and tests/attack is one static program
# that prints TAP. Files below common/ are linked into every one of them. A file with
# the line `/* libc: musl glibc */` is built against both libraries.

guest_tests := $(wildcard tests/guest/*.c tests/attack/*.c)
guest_common := $(call objects,guest,$(call sources,tests/guest/common))
$(foreach test,$(guest_tests),$(eval $(call guest_program,\
	$(BUILD)/$(basename $(test)),$(call objects,guest,$(test)) $(guest_common),-Wl,-S)))

# clang warns of musl's CMSG_NXTHDR and of structures whose last member is an array.
guest_clang_cflags := -Wno-sign-compare -Wno-gnu-variable-sized-type-not-at-end
# Tests hand calls what compilers warn of: wild pointers and lengths.
guest_test_cflags = -Itests/guest -Wno-nonnull \
	$(if $(is_clang),$(guest_clang_cflags),-Wno-stringop-overflow -Wno-stringop-overread)
$(call objects,guest,$(guest_tests)) $(guest_common): guest_cflags += $(guest_test_cflags)

# Policies that tests come under: common/policy.h includes their compiled form.
test_policies := $(patsubst %.policy,$(BUILD)/%.form,$(wildcard tests/attack/policies/*.policy))
$(test_policies): $(BUILD)/%.form: %.policy $(wildcard tests/attack/policies/*.inc) \
		$(BUILD)/mayfly
	$(call say,POLICY,$@)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/mayfly policy compile -o $@ $<
policy_tests := $(call objects,guest,$(wildcard tests/attack/policy_*.c))
$(policy_tests): guest_cflags += -Wa,-I,$(BUILD)/tests/attack/policies
$(policy_tests): $(test_policies)

glibc_cflags = $(base_cflags) $(guest_test_cflags) -D_GNU_SOURCE -fno-pie \
	-fstack-protector-strong
$(eval $(call variant,glibc))
glibc_tests := $(if $(guest_tests),$(shell grep -lxF '/* libc: musl glibc */' $(guest_tests)))
glibc_programs := $(patsubst %.c,$(BUILD)/%-glibc,$(glibc_tests))
glibc_common := $(call objects,glibc,$(call sources,tests/guest/common))
$(glibc_programs): $(BUILD)/%-glibc: $(BUILD)/glibc/%.o $(glibc_common)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) -static -Wl,--build-id=none,-S -o $@ $^ -pthread

# The differential cases: one static program of its own (tests/guest/diff.py runs it). They
# run in the order they are written in.
DIFF := $(BUILD)/tests/guest/diff/diff
diff_objects := $(call objects,guest,$(call sources,tests/guest/diff))
$(diff_objects): guest_cflags += $(guest_test_cflags) \
	$(if $(is_clang),,-fno-toplevel-reorder)
$(eval $(call guest_program,$(DIFF),$(diff_objects),-Wl$(comma)-S))

CASE ?=
.PHONY: syscall-diff
syscall-diff: all $(DIFF) ## the cases that match CASE (all) on Linux and in Mayfly, compared
	$(Q)BUILD=$(BUILD) $(PYTHON) tests/guest/diff.py --case '$(CASE)'

.PHONY: test-programs
test-programs: unit-tests $(patsubst %.c,$(BUILD)/%,$(guest_tests)) $(glibc_programs) $(DIFF) \
	$(BUILD)/tests/bench/audit

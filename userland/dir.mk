# Programs that run in the guest: static, musl, one per folder of userland/.
#
# Compiled by $(CC) against musl's headers, linked by musl-gcc, so that both compilers
# take the same way. guest_cflags also serve tests/guest and tests/attack.

guest_headers = -nostdinc -isystem /usr/include/x86_64-linux-musl -isystem $(cc_include) \
	-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include
guest_cflags = $(base_cflags) $(guest_headers) -D_GNU_SOURCE -fno-pie \
	-fstack-protector-strong -ffunction-sections -fdata-sections
guest_ldflags := -static -no-pie -Wl,--gc-sections,--build-id=none,-z,noexecstack
$(eval $(call variant,guest))
$(eval $(call archive,$(BUILD)/guest/lib.a,$(call objects,guest,$(lib_hosted_sources))))

# $(call guest_program,OUTPUT,OBJECTS,LDFLAGS)
define guest_program
$(1): $(2) $(BUILD)/guest/lib.a
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)musl-gcc $(guest_ldflags) $(3) -o $$@ $$^
endef

userland_names := $(filter-out root,$(patsubst userland/%/,%,$(wildcard userland/*/)))
$(foreach name,$(userland_names),$(eval $(call guest_program,$(BUILD)/userland/$(name),\
	$(call objects,guest,$(call sources,userland/$(name))),-s)))
# Every run executes the agent once: what counts is how much of it there is.
$(call objects,guest,$(call sources,userland/agent)): guest_cflags += -Os
all: $(addprefix $(BUILD)/userland/,$(userland_names))

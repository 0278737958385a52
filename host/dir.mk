# The `mayfly` command of the host.

host_cflags = $(base_cflags) -D_GNU_SOURCE -D_FORTIFY_SOURCE=2 -fPIE \
	-fstack-protector-strong -fstack-clash-protection
host_ldflags := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--build-id=none
host_libs := -ljansson -l:libext2fs.a -l:libcom_err.a -l:libsodium.a
$(eval $(call variant,host))
$(eval $(call archive,$(BUILD)/host/lib.a,$(call objects,host,$(lib_hosted_sources))))

host_objects := $(call objects,host,$(call sources,host policy vboot attest))
$(eval $(call flags_file,host-link,$(CC) $(host_ldflags) $(host_libs) $(host_objects)))
$(BUILD)/mayfly: $(host_objects) $(BUILD)/host/lib.a $(BUILD)/host-link.flags
	$(call say,LD,$@)
	$(Q)$(CC) $(host_ldflags) -o $@ $(host_objects) $(BUILD)/host/lib.a $(host_libs)
all: $(BUILD)/mayfly

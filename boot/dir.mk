# The direct loader: a PVH image for QEMU -kernel, linked by its own script.

loader_cflags = $(base_cflags) $(uapi_cflags) \
	-ffreestanding -fno-pic -fno-pie -fvisibility=hidden -mno-red-zone \
	-mgeneral-regs-only -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-stack-protector
$(eval $(call variant,loader))

loader_sources := $(call sources,boot/direct boot/common)
loader_objects := $(call objects,loader,$(loader_sources))
$(eval $(call archive,$(BUILD)/loader/lib.a,$(call objects,loader,$(lib_sources))))

loader_ldflags := -m elf_x86_64 -static -z noexecstack -z max-page-size=4096 \
	--build-id=none --gc-sections --no-undefined -T boot/direct/loader.ld
$(eval $(call flags_file,loader-link,$(loader_ldflags) $(loader_objects)))

$(BUILD)/loader.debug: $(loader_objects) $(BUILD)/loader/lib.a boot/direct/loader.ld \
		$(BUILD)/loader-link.flags
	$(call say,LD,$@)
	$(Q)$(LD) $(loader_ldflags) -o $@ $(loader_objects) $(BUILD)/loader/lib.a

$(BUILD)/loader.elf: $(BUILD)/loader.debug
	$(call say,STRIP,$@)
	$(Q)$(OBJCOPY) --strip-all $< $@

$(BUILD)/bundle.bin: $(BUILD)/kernel.stripped $(BUILD)/symbols.bin tools/mkbundle.py
	$(call say,BUNDLE,$@)
	$(Q)$(PYTHON) tools/mkbundle.py $@ kernel=$(BUILD)/kernel.stripped \
		symbols=$(BUILD)/symbols.bin

boot_outputs := $(BUILD)/loader.elf $(BUILD)/bundle.bin $(BUILD)/symbols.bin
all: $(boot_outputs)

# The kernel: a static PIE for ring 0. No SSE, no red zone, canary at %gs:40.

kernel_cflags = $(base_cflags) $(uapi_cflags) -Ikernel -I$(BUILD) -isystem $(BUILD)/sodium/include \
	$(if $(DEBUG),-DMAYFLY_DEBUG=1) \
	-ffreestanding -fpie -fvisibility=hidden -mno-red-zone -mgeneral-regs-only \
	-ffunction-sections -fdata-sections -fno-omit-frame-pointer \
	-fno-asynchronous-unwind-tables -fstack-protector-strong \
	-mstack-protector-guard=tls -mstack-protector-guard-reg=gs \
	-mstack-protector-guard-offset=40 \
	-fno-align-functions \
	$(if $(is_clang),,-fno-align-loops -fno-align-jumps -fno-align-labels) \
	$(if $(is_clang),-fdirect-access-external-data)
$(eval $(call variant,kernel))

kernel_sources := $(filter-out %/vdso/%,$(call sources,kernel)) $(lib_sources)
kernel_objects := $(call objects,kernel,$(kernel_sources))
$(kernel_objects): | $(BUILD)/sodium/headers.stamp

# -- the vDSO -----------------------------------------------------------------------
# Code of kernel/*/vdso/ runs in user mode: no canary at %gs, position independent, a
# shared object of its own. The kernel holds it with `.incbin "vdso.so"`.
vdso_cflags = $(base_cflags) $(uapi_cflags) -Ikernel -ffreestanding -fPIC \
	-fvisibility=hidden -mgeneral-regs-only -fno-stack-protector -fomit-frame-pointer \
	-fasynchronous-unwind-tables
vdso_sources := $(call sources,$(wildcard kernel/*/vdso))
vdso_script := $(wildcard kernel/*/vdso/vdso.lds)
$(eval $(call variant,vdso))

vdso_objects := $(call objects,vdso,$(vdso_sources))
$(BUILD)/vdso.so: $(vdso_objects) $(vdso_script) $(BUILD)/vdso.flags
	$(call say,LD,$@)
	$(Q)$(LD) -m elf_x86_64 -shared -soname linux-vdso.so.1 --hash-style=both \
		-Bsymbolic --no-undefined --build-id=none --eh-frame-hdr \
		-z noexecstack -z norelro \
		-z max-page-size=4096 -z noseparate-code --strip-all \
		$(addprefix -T ,$(vdso_script)) -o $@ $(vdso_objects)

$(if $(vdso_sources),$(kernel_objects): | $(BUILD)/vdso.so)
$(filter %vdso_image.o,$(kernel_objects)): $(BUILD)/vdso.so

# -- the image ----------------------------------------------------------------------
kernel_ldflags := -m elf_x86_64 -static -pie --no-dynamic-linker -z text \
	-z noexecstack -z max-page-size=4096 --build-id=none --gc-sections \
	--no-undefined --orphan-handling=error -L $(BUILD) -T kernel/kernel.ld
$(eval $(call flags_file,kernel-link,$(kernel_ldflags) $(kernel_objects)))

# One statement for each function, with the parts that compilers split off.
$(BUILD)/hot.ld: kernel/hot.txt
	$(call say,GEN,$@)
	$(Q)sed -e 's/#.*//' -e 's/\([a-z0-9_]\+\)/*(.text.\1 .text.\1.*)\n/g' $< >$@

$(BUILD)/kernel.elf: $(kernel_objects) $(BUILD)/sodium-kernel.a kernel/kernel.ld \
		$(BUILD)/hot.ld $(BUILD)/kernel-link.flags tools/checkelf
	$(call say,LD,$@)
	$(Q)$(LD) $(kernel_ldflags) -o $@.tmp $(kernel_objects) $(BUILD)/sodium-kernel.a
	$(Q)tools/checkelf $@.tmp
	$(Q)mv $@.tmp $@

$(BUILD)/kernel.stripped: $(BUILD)/kernel.elf
	$(call say,STRIP,$@)
	$(Q)$(OBJCOPY) --strip-all $< $@

$(BUILD)/symbols.bin: $(BUILD)/kernel.elf tools/mksymbols.py
	$(call say,SYMBOLS,$@)
	$(Q)$(PYTHON) tools/mksymbols.py $< $@

# -- libsodium for ring 0 -----------------------------------------------------------
# Debian's library is built with a red zone and SSE, so the files needed are compiled
# from Debian's source package with the kernel's flags. Its headers are copied without
# their <stdlib.h>, which they do not need and which would bring libc types in.
sodium_root := $(DEPS)/libsodium/src/libsodium
sodium_files := \
	crypto_core/ed25519/ref10/ed25519_ref10 \
	crypto_generichash/blake2b/ref/blake2b-compress-ref \
	crypto_generichash/blake2b/ref/blake2b-ref \
	crypto_generichash/blake2b/ref/generichash_blake2b \
	crypto_hash/sha256/cp/hash_sha256_cp \
	crypto_hash/sha512/cp/hash_sha512_cp \
	crypto_shorthash/siphash24/ref/shorthash_siphash24_ref \
	crypto_sign/ed25519/ref10/open \
	crypto_sign/ed25519/ref10/sign \
	crypto_stream/chacha20/ref/chacha20_ref \
	crypto_stream/chacha20/stream_chacha20 \
	crypto_verify/sodium/verify

# Its code is not ours to warn about. It loads and stores words by memcpy, which has to be
# the compiler's own (-ffreestanding hides it), and has no registers to spare.
sodium-kernel_cflags = $(filter-out -W% -I. -Ikernel,$(kernel_cflags)) -w \
	-DHAVE_TI_MODE=1 -DNATIVE_LITTLE_ENDIAN=1 -DCONFIGURED=1 -DNDEBUG=1 \
	-Dmemcpy=__builtin_memcpy -Dmemset=__builtin_memset -fomit-frame-pointer \
	-I$(sodium_root)/include/sodium -I$(BUILD)/sodium/include/sodium
sodium_objects := $(addprefix $(BUILD)/sodium-kernel/,$(addsuffix .o,$(sodium_files)))

$(eval $(call flags_file,sodium-kernel,$$(CC) $$(sodium-kernel_cflags)))
$(sodium_objects): $(BUILD)/sodium-kernel/%.o: $(sodium_root)/%.c \
		$(BUILD)/sodium-kernel.flags $(BUILD)/sodium/headers.stamp
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(sodium-kernel_cflags) -c -o $@ $<
$(eval $(call archive,$(BUILD)/sodium-kernel.a,$(sodium_objects)))

$(BUILD)/sodium/headers.stamp: $(DEPS)/ready.mk
	@rm -rf $(BUILD)/sodium/include && mkdir -p $(BUILD)/sodium/include/sodium
	$(Q)cp $(sodium_root)/include/sodium/*.h $(BUILD)/sodium/include/sodium
	$(Q)sed -i '/<stdlib.h>/d' $(BUILD)/sodium/include/sodium/*.h
	$(Q)sed -e 's/@VERSION@/1.0.18/' -e 's/@SODIUM_LIBRARY_VERSION_MAJOR@/10/' \
		-e 's/@SODIUM_LIBRARY_VERSION_MINOR@/3/' -e 's/@SODIUM_LIBRARY_MINIMAL_DEF@//' \
		$(sodium_root)/include/sodium/version.h.in \
		> $(BUILD)/sodium/include/sodium/version.h
	@touch $@

# Unit tests run on the host under ASan and UBSan, one program per *_test.c. The folder
# mirrors the sources: tests/unit/lib/tlv_test.c tests lib/tlv.c.
#
# Every test is linked against one archive, so it gets just the objects whose symbols
# it uses and may define fakes for the rest. The archive holds lib/, kernel/sec/ and
# each test's own source; a test that needs more says so in a comment line:
#	/* link: kernel/mm/buddy.c */
# A test may instead #include a source, to reach its static functions.

unit_cflags = $(base_cflags) -O1 -D_GNU_SOURCE -iquote kernel -DMAYFLY_DEBUG=1 \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-Wno-missing-prototypes $(if $(is_clang),-Wno-format)
unit_ldflags := -fsanitize=address,undefined
$(eval $(call variant,unit))

# kernel/fs and its tests see the Linux ABI's headers as the kernel does: libc's get in
# their way.
$(BUILD)/unit/kernel/fs/%.o $(BUILD)/unit/tests/unit/kernel/fs/%.o: \
	unit_cflags += -ffreestanding $(uapi_cflags)

unit_tests := $(filter %_test.c,$(call sources,tests/unit))
unit_mirrored := $(wildcard $(patsubst tests/unit/%_test.c,%.c,$(unit_tests)))
unit_linked := $(if $(unit_tests),$(shell sed -n 's|^/\* link: \(.*\) \*/$$|\1|p' $(unit_tests)))
unit_sources := $(sort $(lib_hosted_sources) $(wildcard kernel/sec/*.c) $(unit_mirrored) $(unit_linked))
$(eval $(call archive,$(BUILD)/unit/all.a,$(call objects,unit,$(unit_sources))))

unit_programs := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(unit_tests))
$(unit_programs): $(BUILD)/tests/unit/%: $(BUILD)/unit/tests/unit/%.o $(BUILD)/unit/all.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(unit_ldflags) -o $@ $^ -Wl,--as-needed -lcmocka -lsodium -ljansson -larchive -lseccomp -lseccomp

# The list of system calls that Docker and Podman start from, out of Debian's package.
$(DEPS)/seccomp.json:
	$(call say,FETCH,$@)
	@rm -rf $@.d && mkdir -p $@.d
	$(Q)cd $@.d && apt-get -qq -o APT::Sandbox::User=root download \
		golang-github-containers-common
	$(Q)dpkg-deb --fsys-tarfile $@.d/*.deb | \
		tar -xO ./usr/share/containers/seccomp.json > $@.d/list
	@mv $@.d/list $@ && rm -rf $@.d
$(BUILD)/tests/unit/policy/linux_test: | $(DEPS)/seccomp.json

.PHONY: unit-tests
unit-tests: $(unit_programs)

# Fuzz targets, one program per *_fuzz.c, built by clang's libFuzzer with ASan and
# UBSan whatever CC is. `make fuzz FUZZ_SECONDS=60` runs each for a while; what it
# found before lies in tests/fuzz/corpus/<name>/ and is replayed by `make test`.

FUZZ_SECONDS ?= 30
fuzz_cflags = $(base_cflags) -O1 -D_GNU_SOURCE -iquote kernel \
	-DMAYFLY_DEBUG=1 -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -Wno-missing-prototypes

$(eval $(call flags_file,fuzz,clang $$(fuzz_cflags)))
$(BUILD)/fuzz/%.o: %.c $(BUILD)/fuzz.flags
	$(call say,FUZZCC,$@)
	@mkdir -p $(@D)
	$(Q)clang $(fuzz_cflags) -MMD -MP -c -o $@ $<

fuzz_tests := $(wildcard tests/fuzz/*_fuzz.c)
fuzz_linked := $(if $(fuzz_tests),$(shell sed -n 's|^/\* link: \(.*\) \*/$$|\1|p' $(fuzz_tests)))
$(eval $(call archive,$(BUILD)/fuzz/all.a,$(call objects,fuzz,$(sort $(lib_hosted_sources) $(fuzz_linked)))))

# Libraries of the host's parsers; what a target does not use is not linked.
fuzz_libs := -Wl,--as-needed -ljansson -lsodium

fuzz_programs := $(patsubst %.c,$(BUILD)/%,$(fuzz_tests))
$(fuzz_programs): $(BUILD)/tests/fuzz/%: $(BUILD)/fuzz/tests/fuzz/%.o $(BUILD)/fuzz/all.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)clang -fsanitize=fuzzer,address,undefined -o $@ $^ $(fuzz_libs)

.PHONY: fuzz fuzz-programs
fuzz-programs: $(fuzz_programs)
fuzz: fuzz-programs ## run every fuzz target for FUZZ_SECONDS (30) each
	$(Q)set -e; for f in $(fuzz_programs); do \
		c=$(BUILD)/fuzz-corpus/$$(basename $$f); mkdir -p $$c; \
		echo "$$f"; $$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 \
			-artifact_prefix=$$c- $$c $$(ls -d tests/fuzz/corpus/$$(basename $$f) 2>/dev/null); \
	done

# Mayfly's one front door. `make help` lists the targets.
#
# Every folder that has something to build has a dir.mk, included below; sources are
# found by wildcard, so a new .c or .S needs no edit here. A source is compiled once
# per *variant* (kernel, loader, guest, host, unit, ...), into build/<variant>/<path>.o.
# Rules every dir.mk keeps:
#   - a variant is declared by `$(eval $(call variant,NAME))` after setting NAME_cflags;
#   - objects depend on build/NAME.flags, which changes when the flags do;
#   - outputs carry no path, date, user or randomness: `make repro` compares two builds.

BUILD   ?= build
DEPS    ?= $(BUILD)/deps
PREFIX  ?= /usr/local
DESTDIR ?=
ifeq ($(origin CC),default)
CC := gcc
endif
LD      := ld
AR      := ar
OBJCOPY := objcopy
PYTHON  := /usr/bin/python3

# `make DEBUG=1` builds the kernel with its invariants and lock ranks checked.
DEBUG   ?=
# `make V=1` shows the commands.
V       ?=
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
SHELL := /bin/sh
export LC_ALL := C
export TZ := UTC
export SOURCE_DATE_EPOCH := 1700000000

.PHONY: all
all: ## build everything: build/mayfly, kernel, loader, root image

# -- what the build stands on ---------------------------------------------------
# Included as a makefile, so make runs tools/deps first when the stamp is missing or
# a list changed, and reads itself again with compilers and sources in place.
goals := $(or $(MAKECMDGOALS),all)
ifneq ($(filter-out help clean distclean deps,$(goals)),)
include $(DEPS)/ready.mk
endif

$(DEPS)/ready.mk: deps/packages.txt deps/sources.txt tools/deps
	$(Q)tools/deps $(DEPS)
	$(Q)echo 'deps_ready := 1' > $@

.PHONY: deps
deps: ## install missing Debian packages, fetch pinned source packages
	$(Q)tools/deps $(DEPS)
	$(Q)echo 'deps_ready := 1' > $(DEPS)/ready.mk

# -- compiling --------------------------------------------------------------------
comma := ,
# $(call sources,DIR...): every .c and .S below the folders.
sources = $(sort $(if $(wildcard $(1)),$(shell find $(wildcard $(1)) -name '*.[cS]')))
# $(call objects,VARIANT,SOURCES)
objects = $(patsubst %,$(BUILD)/$(1)/%.o,$(basename $(2)))

cc_include := $(if $(deps_ready),$(shell $(CC) -print-file-name=include))
is_clang   := $(if $(deps_ready),$(findstring clang,$(shell $(CC) --version)))

warnings := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes \
	-Wshadow -Wundef -Wvla -Wpointer-arith -Wno-unused-parameter
base_cflags = -std=gnu11 -O2 -g $(warnings) -fno-common -fno-strict-aliasing \
	-ffile-prefix-map=$(abspath $(DEPS))=deps -ffile-prefix-map=$(abspath $(BUILD))=build \
	-ffile-prefix-map=$(CURDIR)=. -I. $(EXTRA_CFLAGS)

# The Linux ABI's headers, and no libc's: lib/, kernel/ and boot/ see only these.
uapi_cflags = -nostdinc -isystem $(cc_include) \
	-idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include

.PHONY: FORCE
FORCE:

# $(call flags_file,NAME,TEXT): build/NAME.flags, rewritten only when TEXT changes.
define flags_file
$(BUILD)/$(1).flags: FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$$(subst ','\'',$(2))' | cmp -s - $$@ || printf '%s\n' '$$(subst ','\'',$(2))' > $$@
endef

# $(call variant,NAME): compile rules with $(NAME_cflags) into build/NAME/.
define variant
$(call flags_file,$(1),$$(CC) $$($(1)_cflags))
$(BUILD)/$(1)/%.o: %.c $(BUILD)/$(1).flags
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$($(1)_cflags) -MMD -MP -c -o $$@ $$<
$(BUILD)/$(1)/%.o: %.S $(BUILD)/$(1).flags
	$$(call say,AS,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$($(1)_cflags) -D__ASSEMBLER__=1 -MMD -MP -c -o $$@ $$<
endef

# $(call archive,FILE,OBJECTS): a static archive with no dates or owners in it.
define archive
$(call flags_file,$(patsubst $(BUILD)/%,%,$(1)),$(2))
$(1): $(2) $(1).flags
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$(filter %.o,$$^)
endef

include lib/dir.mk
include kernel/dir.mk
include boot/dir.mk
include userland/dir.mk
include userland/root/dir.mk
include policy/dir.mk
include host/dir.mk
include tests/dir.mk

-include $(if $(deps_ready),$(shell find $(BUILD) -name '*.d' -not -path '*/deps/*' 2>/dev/null))

# -- using ------------------------------------------------------------------------
.PHONY: run debug docs install repro clean distclean help
run: all ## build everything and run an untrusted job in a VM
	$(BUILD)/mayfly run -- busybox sh -c \
		'echo "Hello from $$(uname -s), pid $$$$, on a VM that is about to vanish."; id; ls /'

debug: all ## QEMU waiting for gdb (-S -s), with symbols
	$(Q)tools/debug $(BUILD)

man_pages := $(wildcard docs/man/*.[1-8])
install: all ## install below PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/mayfly/root
	install -m 755 $(BUILD)/mayfly $(DESTDIR)$(PREFIX)/bin/mayfly
	install -m 644 $(BUILD)/loader.elf $(BUILD)/bundle.bin $(DESTDIR)$(PREFIX)/lib/mayfly
	install -m 644 $(root_images) $(DESTDIR)$(PREFIX)/lib/mayfly/root
	for page in $(man_pages); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done

docs: ## write docs/gen from the tables of lib/abi
	$(Q)$(PYTHON) tools/gendocs.py

repro: ## build this commit twice, in two folders, and compare the bytes
	$(Q)tools/repro $(abspath $(DEPS))

clean: ## remove what was built; keep fetched sources
	$(Q)[ ! -d $(BUILD) ] || find $(BUILD) -mindepth 1 -maxdepth 1 \
		-not -path $(DEPS) -exec rm -rf {} +

distclean: ## remove everything that is not in the repository
	rm -rf $(BUILD)

help: ## print every target
	@grep -hE '^[a-z-]+:.*## ' Makefile */dir.mk */*/dir.mk | sort -u | \
		awk -F':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo
	@echo '  CC=clang  another compiler    DEBUG=1  checked kernel    V=1  show commands'
	@echo '  BUILD=dir another build folder (default: build)'

# lib/ is compiled once per variant that uses it. It is pure and sees no libc header.
# lib/string.c is libc's part where there is no libc: hosted variants leave it out.
lib_sources := $(filter %.c,$(call sources,lib))
lib_hosted_sources := $(filter-out lib/string.c,$(lib_sources))

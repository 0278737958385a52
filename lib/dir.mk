# lib/ is compiled once per variant that uses it. It is pure and sees no libc header.
lib_sources := $(filter %.c,$(call sources,lib))

# The policy language: a library of the host command. host/dir.mk compiles and links it.

# The profiles are in profiles.o, and no compiler tells make so.
profile_objects := $(foreach v,host unit fuzz,$(BUILD)/$(v)/policy/profiles.o)
$(profile_objects): $(wildcard policy/profiles/*.policy)

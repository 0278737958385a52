# The root images: one recipe userland/root/<name>.txt makes build/root/<name>.img.

root_images := $(patsubst userland/root/%.txt,$(BUILD)/root/%.img,$(wildcard userland/root/*.txt))
root_files := $(sort $(shell find userland/root -type f))

$(root_images): $(BUILD)/root/%.img: userland/root/%.txt $(root_files) tools/mkroot.py \
		$(addprefix $(BUILD)/userland/,$(userland_names))
	$(call say,ROOT,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mkroot.py $< $@ $(BUILD)
all: $(root_images)

# Debian takes minutes, the network and 2 GB, so nothing else builds it.
.PHONY: root-debian
root-debian: all ## build the root image `debian`: python3, node, gcc, git... (as root, 170 MB to fetch)
	$(Q)tools/mkdebian $(BUILD)/root/debian.img $(BUILD) $(DEPS)

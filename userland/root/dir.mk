# The root images: one recipe userland/root/<name>.txt makes build/root/<name>.img.

root_images := $(patsubst userland/root/%.txt,$(BUILD)/root/%.img,$(wildcard userland/root/*.txt))
root_files := $(sort $(shell find userland/root -type f))

$(root_images): $(BUILD)/root/%.img: userland/root/%.txt $(root_files) tools/mkroot.py \
		$(addprefix $(BUILD)/userland/,$(userland_names))
	$(call say,ROOT,$@)
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mkroot.py $< $@ $(BUILD)
all: $(root_images)

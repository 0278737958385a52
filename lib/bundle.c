/* The boot bundle's parser. Reads hostile input: every length is checked before use. */
#include <asm/errno.h>

#include "lib/bundle.h"
#include "lib/string.h"

struct bundle_header {
	char magic[8];
	uint32_t version, parts;
	uint64_t size;
} packed;

struct part_header {
	uint32_t type, zero;
	uint64_t size;
} packed;

static const struct part_row {
	const char *name;
	bool required;
} part_rows[BUNDLE_TYPES] = {
#define BUNDLE_PART(name, type, text, required) [type] = { text, required },
#include "lib/abi/bundle.def"
#undef BUNDLE_PART
};

const char *bundle_part_name(uint32_t type)
{
	return type < BUNDLE_TYPES && part_rows[type].name ? part_rows[type].name
							   : "bundle";
}

static int refuse(struct refusal *why, const char *part, const char *reason)
{
	*why = (struct refusal){ part, reason };
	return -EINVAL;
}

static bool all_zero(const uint8_t *p, uint64_t n)
{
	while (n--)
		if (*p++)
			return false;
	return true;
}

/* One part at `at`; advances it past value and padding. */
static int part_parse(const uint8_t *file, uint64_t size, uint64_t *at, struct bundle *b,
		      uint32_t *last, struct refusal *why)
{
	struct part_header h;

	if (size - *at < sizeof(h))
		return refuse(why, "bundle", "a part's header is cut short");
	memcpy(&h, file + *at, sizeof(h));
	*at += sizeof(h);

	if (h.type >= BUNDLE_TYPES || !part_rows[h.type].name)
		return refuse(why, "bundle", "a part of unknown type");
	if (h.type <= *last)
		return refuse(why, part_rows[h.type].name, "out of order or given twice");
	if (h.zero)
		return refuse(why, part_rows[h.type].name, "reserved field is not zero");
	if (h.size > size - *at)
		return refuse(why, part_rows[h.type].name, "longer than the bundle");

	uint64_t pad = -h.size & (BUNDLE_ALIGN - 1);
	if (pad > size - *at - h.size)
		return refuse(why, part_rows[h.type].name, "padding is cut short");
	if (!all_zero(file + *at + h.size, pad))
		return refuse(why, part_rows[h.type].name, "padding is not zero");

	b->part[h.type] = (struct bundle_part){ file + *at, h.size };
	*at += h.size + pad;
	*last = h.type;
	return 0;
}

int bundle_parse(const void *file, uint64_t size, struct bundle *ret, struct refusal *why)
{
	struct bundle b = { 0 };
	struct bundle_header h;
	uint64_t at = sizeof(h);
	uint32_t last = 0;

	if (size < sizeof(h))
		return refuse(why, "bundle", "shorter than its header");
	memcpy(&h, file, sizeof(h));
	if (memcmp(h.magic, BUNDLE_MAGIC, sizeof(h.magic)) != 0)
		return refuse(why, "bundle", "not a Mayfly bundle");
	if (h.version != BUNDLE_VERSION)
		return refuse(why, "bundle", "unknown version");
	if (h.size != size)
		return refuse(why, "bundle", "its size is not the file's");

	for (uint32_t i = 0; i < h.parts; i++) {
		int err = part_parse(file, size, &at, &b, &last, why);
		if (err)
			return err;
	}
	if (at != size)
		return refuse(why, "bundle", "bytes after the last part");
	for (uint32_t t = 0; t < BUNDLE_TYPES; t++)
		if (part_rows[t].required && !b.part[t].data)
			return refuse(why, part_rows[t].name, "missing");

	*ret = b;
	return 0;
}

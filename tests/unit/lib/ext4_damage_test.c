/* lib/ext4 and damaged images: each is refused, none is read out of bounds. */
#include "ext4_image.h"

/* Everything a reader of the image may do; the first error. */
static int walk(const struct reader *r)
{
	static const char *const paths[] = { "/dir/sub/small", "/holey", "/long",
					     "/many" };
	struct ext4_inode i;
	struct ext4_run run;
	uint32_t ino = 0;
	bool continues;
	char buf[16];

	for (size_t k = 0; k < ARRAY_LEN(paths); k++) {
		int err = reader_path(r, paths[k], &i);

		if (!err)
			err = reader_map(r, &i, 3, &run, NULL);
		if (!err)
			err = reader_map(r, &i, 100000, &run, NULL);
		if (err)
			return err;
	}
	if (i.flags & EXT4_INODE_INDEX) {
		int err = reader_find_hashed(r, &i, NAME "01234", &ino, &continues);

		if (err)
			return err;
	}
	ino = reader_path(r, "/empty", &i) ? EXT4_ROOT_INO : i.ino;
	{
		int64_t err = reader_xattr(r, ino, "user.note", buf, sizeof(buf));

		return err == -ENODATA || err >= 0 ? 0 : (int)err;
	}
}

static bool is_refusal(int err)
{
	return err == -EBADMSG || err == -EUCLEAN || err == -EOPNOTSUPP || err == -EINVAL;
}

/* Flips single bits of [at, at + n) and wants each image refused for it. */
static void refuse_flips(struct reader *r, uint64_t at, size_t n, const char *what)
{
	uint8_t *image = (uint8_t *)r->image;

	for (size_t k = 0; k<n; k += n> 600 ? 7 : 1) {
		const char *why;
		struct reader bad;
		int err;

		image[at + k] ^= 1 << (k & 7);
		err = reader_open(&bad, image, r->size, &why);
		if (!err)
			err = walk(&bad);
		image[at + k] ^= 1 << (k & 7);
		if (!is_refusal(err))
			fail_msg("%s: byte %zu flipped: %d", what, k, err);
	}
}

static uint64_t data_at(const struct reader *r, const char *path, uint32_t nr)
{
	struct ext4_inode i;
	struct ext4_run run;

	assert_int_equal(reader_path(r, path, &i), 0);
	assert_int_equal(reader_map(r, &i, nr, &run, NULL), 0);
	assert_int_equal(run.kind, EXT4_RUN_DATA);
	return run.block << r->g.block_shift;
}

static void any_flipped_bit_is_noticed(void **state)
{
	struct ext4_inode i;
	struct reader r;
	uint64_t at;

	image_make(
		"flips", "-b 1024 -I 256",
		INDEXED
		"; debugfs -w -R 'ea_set /empty user.note hello' $img >/dev/null 2>&1; "
		"debugfs -w -R \"ea_set -f $(dirname $img)/big /empty user.big\" "
		"$img >/dev/null 2>&1");
	r = open_good("flips");
	assert_int_equal(walk(&r), 0);
	refuse_flips(&r, EXT4_SUPER_OFFSET, EXT4_SUPER_SIZE, "super block");
	refuse_flips(&r, ext4_group_offset(&r.g, 0), r.g.desc_size, "group descriptor");
	assert_int_equal(reader_inode_offset(&r, EXT4_ROOT_INO, &at), 0);
	refuse_flips(&r, at, r.g.inode_size, "inode");
	refuse_flips(&r, data_at(&r, "/", 0), r.g.block_size, "directory");
	refuse_flips(&r, data_at(&r, "/many", 0), EXT4_DX_ROOT_ENTRIES + 16, "index");
	assert_int_equal(reader_path(&r, "/empty", &i), 0);
	assert_true(i.xattr_block != 0);
	refuse_flips(&r, i.xattr_block << r.g.block_shift, r.g.block_size, "attributes");
	assert_int_equal(reader_path(&r, "/holey", &i), 0);
	{
		struct ext4_run run = ext4_extent_find(i.block, 0, BIT(32));
		const struct ext4_disk_extent_header *h;

		assert_int_equal(run.kind, EXT4_RUN_CHILD);
		at = run.block << r.g.block_shift;
		h = (const void *)(r.image + at);
		refuse_flips(&r, at,
			     sizeof(*h) + h->max * sizeof(struct ext4_disk_extent) + 4,
			     "extent node");
	}
	close_image(&r);
}

/* Random damage without checksums to stop it: nothing is read out of bounds, nothing
 * hangs. */
static void damage_without_checksums_is_survived(void **state)
{
	struct reader r, bad;
	const char *why;
	uint8_t *image;

	image_make("damage", "-b 1024 -O ^metadata_csum,^uninit_bg", INDEXED);
	r = open_good("damage");
	assert_int_equal(walk(&r), 0);
	image = malloc(r.size);
	srand(1);
	for (int round = 0; round < 300; round++) {
		memcpy(image, r.image, r.size);
		for (int k = 0; k < 200; k++)
			image[1024 + rand() % (512 * 1024)] = rand() % 4 ? rand() : 0xff;
		/* Keep the feature words, or most images end at the door. */
		memcpy(image + 1024, r.image + 1024, rand() % 8 ? 1024 : 64);
		if (!reader_open(&bad, image, r.size, &why))
			(void)walk(&bad);
	}
	free(image);
	close_image(&r);
}

static void features_not_known_are_refused(void **state)
{
	static const struct {
		uint32_t offset, flag;
		int want;
	} cases[] = {
		{ 0x60, 0x4, -EOPNOTSUPP },	/* needs_recovery */
		{ 0x60, 0x8, -EOPNOTSUPP },	/* journal device */
		{ 0x60, 0x400, -EOPNOTSUPP },	/* ea_inode */
		{ 0x60, 0x8000, -EOPNOTSUPP },	/* inline_data */
		{ 0x60, 0x10000, -EOPNOTSUPP }, /* encrypt */
		{ 0x60, 0x20000, -EOPNOTSUPP }, /* casefold */
		{ 0x60, 0x80000000, -EOPNOTSUPP },
		{ 0x64, 0x8000, -EOPNOTSUPP }, /* verity */
		{ 0x64, 0x80000000, -EOPNOTSUPP },
		{ 0x38, 0x1, -EINVAL },	   /* magic */
		{ 0x60, 0x100, -EBADMSG }, /* mmp is known; the sum is wrong now */
	};
	struct reader r, bad;
	const char *why = NULL;
	uint8_t *image;

	image_make("features", "-b 4096 -I 256", "");
	r = open_good("features");
	image = (uint8_t *)r.image;

	for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
		uint8_t *at = image + EXT4_SUPER_OFFSET + cases[k].offset;
		uint32_t word;

		memcpy(&word, at, 4);
		word ^= cases[k].flag;
		memcpy(at, &word, 4);
		why = NULL;
		assert_int_equal(reader_open(&bad, image, r.size, &why), cases[k].want);
		assert_non_null(why);
		word ^= cases[k].flag;
		memcpy(at, &word, 4);
	}
	assert_int_equal(reader_open(&bad, image, r.size, &why), 0);
	close_image(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_flipped_bit_is_noticed),
		cmocka_unit_test(damage_without_checksums_is_survived),
		cmocka_unit_test(features_not_known_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

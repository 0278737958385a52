/*
 * lib/ext4 against images that mke2fs and debugfs make here: everything in them is
 * found with the bytes that went in.
 */
#include "ext4_image.h"

/* ---- what is in an image ---- */

static void check_small(const struct reader *r)
{
	uint8_t want[SMALL], *got;
	struct ext4_inode i;

	fill(want, SMALL, 1);
	assert_int_equal(reader_path(r, "/dir/sub/small", &i), 0);
	assert_int_equal(i.size, SMALL);
	assert_true(S_ISREG(i.mode));
	assert_int_equal(reader_content(r, &i, &got), 0);
	assert_memory_equal(got, want, SMALL);
	free(got);
	assert_int_equal(reader_path(r, "/empty", &i), 0);
	assert_int_equal(i.size, 0);
	assert_int_equal(i.links, 2);
	assert_int_equal(reader_path(r, "/nothing", &i), -ENOENT);
}

static void check_holey(const struct reader *r)
{
	uint8_t want[4096], *got;
	static const uint8_t zero[4096];
	struct ext4_run run;
	struct ext4_inode i;
	uint32_t depth;

	assert_int_equal(reader_path(r, "/holey", &i), 0);
	assert_int_equal(reader_content(r, &i, &got), 0);
	for (uint32_t k = 0; k < HOLEY_PIECES; k++) {
		fill(want, 4096, 100 + k);
		assert_memory_equal(got + (size_t)k * HOLEY_STEP, want, 4096);
		if (k + 1 < HOLEY_PIECES)
			assert_memory_equal(got + (size_t)k * HOLEY_STEP + 4096, zero,
					    4096);
	}
	free(got);
	/* The answer about a block says how far it reaches. */
	assert_int_equal(reader_map(r, &i, 4096 >> r->g.block_shift, &run, &depth), 0);
	assert_int_equal(run.kind, EXT4_RUN_HOLE);
	assert_int_equal(run.end, HOLEY_STEP >> r->g.block_shift);
	assert_int_equal(depth, r->g.block_size < 4096 ? 2 : 1);
}

static void check_links(const struct reader *r)
{
	struct ext4_inode i;
	char want[301];
	uint8_t *got;

	assert_int_equal(reader_path(r, "/short", &i), 0);
	assert_true(S_ISLNK(i.mode) && ext4_link_is_short(&i));
	assert_memory_equal(i.block, "target", 7);
	assert_int_equal(reader_path(r, "/long", &i), 0);
	assert_false(ext4_link_is_short(&i));
	assert_int_equal(reader_content(r, &i, &got), 0);
	snprintf(want, sizeof(want), "%0300d", 7);
	assert_int_equal(i.size, 300);
	assert_memory_equal(got, want, 300);
	free(got);
	assert_int_equal(reader_path(r, "/pipe", &i), 0);
	assert_true(S_ISFIFO(i.mode));
}

/* Every name once, and nothing else. */
static void check_many(const struct reader *r)
{
	static bool seen[NAMES + 1];
	struct ext4_inode dir;
	struct ext4_name n;
	unsigned count = 0;

	memset(seen, 0, sizeof(seen));
	assert_int_equal(reader_path(r, "/many", &dir), 0);
	for (uint32_t nr = 0; nr < dir.size >> r->g.block_shift; nr++) {
		uint32_t at = 0;
		void *block;

		assert_int_equal(reader_dir_block(r, &dir, nr, &block), 0);
		while (ext4_dir_next(&r->g, block, &at, &n)) {
			unsigned number;

			assert_true(ext4_name_ok(&n));
			assert_true(at <= r->g.block_size);
			if (n.s[0] == '.')
				continue;
			assert_int_equal(n.len, 11);
			assert_int_equal(sscanf(n.s, NAME "%5u", &number), 1);
			assert_true(number >= 1 && number <= NAMES && !seen[number]);
			assert_int_equal(ext4_name_dt(n.type),
					 r->g.incompat & EXT4_INCOMPAT_FILETYPE ? DT_REG
										: 0);
			seen[number] = true;
			count++;
		}
		free(block);
	}
	assert_int_equal(count, NAMES);
}

static void check_all(const char *name)
{
	struct reader r = open_good(name);

	check_small(&r);
	check_holey(&r);
	check_links(&r);
	check_many(&r);
	close_image(&r);
}

static const struct image {
	const char *name, *options, *more;
	int hash; /* of its /many's index; -1: none */
} images[] = {
	{ "default", "-b 4096 -I 256", "", -1 },
	{ "base", "-b 4096 -O none,extent,dir_index,filetype,sparse_super,metadata_csum",
	  "", -1 },
	{ "small-blocks", "-b 1024 -I 128 -O ^64bit", "", -1 },
	{ "blocks-2k", "-b 2048 -I 512 -O metadata_csum_seed,large_dir", INDEXED,
	  EXT4_HASH_HALF_MD4 },
	{ "no-csum", "-b 4096 -O ^metadata_csum,uninit_bg", INDEXED, EXT4_HASH_HALF_MD4 },
	{ "no-filetype", "-b 1024 -O ^filetype,^metadata_csum", "", -1 },
	{ "meta-bg", "-b 1024 -g 1024 -O meta_bg,^resize_inode", "", -1 },
	{ "no-sparse", "-b 1024 -g 2048 -O ^sparse_super,^resize_inode", "", -1 },
	{ "sparse2", "-b 1024 -g 2048 -O sparse_super2,^resize_inode", "", -1 },
	{ "indexed", "-b 1024", INDEXED, EXT4_HASH_HALF_MD4 },
	{ "indexed-unsigned", "-b 1024",
	  "debugfs -w -R 'set_super_value flags 2' $img >/dev/null 2>&1; " INDEXED,
	  EXT4_HASH_HALF_MD4 },
	{ "indexed-tea", "-b 1024", "tune2fs -E hash_alg=tea $img >/dev/null; " INDEXED,
	  EXT4_HASH_TEA },
	{ "indexed-legacy", "-b 4096",
	  "tune2fs -E hash_alg=legacy $img >/dev/null; " INDEXED, EXT4_HASH_LEGACY },
};

static void every_kind_of_image_is_read(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(images); k++) {
		print_message("%s\n", images[k].name);
		image_make(images[k].name, images[k].options, images[k].more);
		check_all(images[k].name);
	}
}

/* ---- hash trees ---- */

static void check_index(const struct image *image)
{
	struct reader r = open_good(image->name);
	struct ext4_inode dir;
	unsigned continued = 0;

	assert_int_equal(reader_path(&r, "/many", &dir), 0);
	assert_true(dir.flags & EXT4_INODE_INDEX);
	for (unsigned k = 1; k <= NAMES + 10; k++) {
		uint32_t ino = 0, linear = 0;
		bool continues;
		char name[16];

		snprintf(name, sizeof(name), NAME "%05u", k);
		assert_int_equal(reader_find_hashed(&r, &dir, name, &ino, &continues), 0);
		if (!ino && continues) {
			assert_int_equal(reader_find_linear(&r, &dir, name, &ino), 0);
			continued++;
		}
		if (k % 97 == 0) {
			assert_int_equal(reader_find_linear(&r, &dir, name, &linear), 0);
			assert_int_equal(ino, linear);
		}
		assert_int_equal(ino != 0, k <= NAMES);
	}
	assert_true(continued < NAMES / 10);
	close_image(&r);
}

static void names_are_found_through_the_index(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(images); k++)
		if (images[k].hash >= 0)
			check_index(&images[k]);
}

static void hashes_are_those_of_e2fsprogs(void **state)
{
	static const char *const names[] = {
		"a",
		"abc",
		"name-00001",
		NAME "\xff",
		"exactly sixteen!",
		"thirty-two bytes in this one ok",
		"a name of more than thirty-two bytes, to loop"
	};
	static const char *const versions[] = { "legacy", "half_md4", "tea" };
	static const uint32_t seed[4] = { 0x6679616d, 0x0140796c, 0x00000080,
					  0xab000000 };

	for (size_t v = 0; v < ARRAY_LEN(versions); v++) {
		for (size_t k = 0; k < ARRAY_LEN(names); k++) {
			char command[512];
			unsigned want;
			FILE *p;

			snprintf(command, sizeof(command),
				 "debugfs -R 'dx_hash -h %s -s " UUID
				 " \"%s\"' 2>/dev/null"
				 " | sed 's/.* is 0x\\([0-9a-f]*\\) .*/\\1/'",
				 versions[v], names[k]);
			p = popen(command, "r");
			assert_int_equal(fscanf(p, "%x", &want), 1);
			pclose(p);
			assert_int_equal(ext4_name_hash(seed, false, v, names[k],
							strlen(names[k])),
					 want);
		}
	}
}

/* ---- attributes, times, devices ---- */

static void attributes_are_found(void **state)
{
	struct reader r;
	struct ext4_inode i;
	char buf[2048], cap[20] = { 1, 0, 0, 2, 0, 4 };

	write_at("../cap", 0, cap, sizeof(cap));
	image_make("attributes", "-b 4096",
		   "debugfs -w -R 'ea_set /empty user.note hello' $img >/dev/null 2>&1; "
		   "debugfs -w -R \"ea_set -f $(dirname $img)/cap /dir/sub/small "
		   "security.capability\" $img >/dev/null 2>&1; "
		   "debugfs -w -R \"ea_set -f $(dirname $img)/big /empty user.big\" $img "
		   ">/dev/null 2>&1");
	r = open_good("attributes");
	assert_int_equal(reader_path(&r, "/empty", &i), 0);
	assert_int_equal(reader_xattr(&r, i.ino, "user.note", buf, sizeof(buf)), 5);
	assert_memory_equal(buf, "hello", 5);
	assert_true(i.xattr_block != 0);
	assert_int_equal(reader_xattr(&r, i.ino, "user.big", buf, sizeof(buf)), 900);
	assert_int_equal(buf[899], '9');
	assert_int_equal(reader_xattr(&r, i.ino, "user.not", buf, sizeof(buf)), -ENODATA);
	assert_int_equal(reader_path(&r, "/dir/sub/small", &i), 0);
	assert_int_equal(reader_xattr(&r, i.ino, "security.capability", buf, sizeof(buf)),
			 20);
	assert_memory_equal(buf, cap, sizeof(cap));
	assert_int_equal(reader_path(&r, "/dir", &i), 0);
	assert_int_equal(reader_xattr(&r, i.ino, "user.note", buf, sizeof(buf)),
			 -ENODATA);
	close_image(&r);
}

static void owners_times_and_devices(void **state)
{
	struct reader r;
	struct ext4_inode i;
	uint32_t major, minor;

	image_make(
		"fields", "-b 4096 -I 256",
		"for c in 'mknod node c 5 1' 'mknod wide b 259 60000' "
		"'set_inode_field /empty uid 100000' 'set_inode_field /empty gid 70000' "
		"'set_inode_field /empty mtime @1700000000' "
		"'set_inode_field /empty mtime_extra 0x1dcd6501' "
		"'set_inode_field /empty atime @4294967295' "
		"'set_inode_field /empty atime_extra 0'; do "
		"debugfs -w -R \"$c\" $img >/dev/null 2>&1; done");
	r = open_good("fields");
	assert_int_equal(reader_path(&r, "/empty", &i), 0);
	assert_int_equal(i.uid, 100000);
	assert_int_equal(i.gid, 70000);
	/* Epoch bit 1, and 0x1dcd6501 >> 2 nanoseconds; a sign bit alone is before
	 * 1970. */
	assert_int_equal(i.mtime.sec, 1700000000ll + (1ll << 32));
	assert_int_equal(i.mtime.nsec, 0x1dcd6501 >> 2);
	assert_int_equal(i.atime.sec, -1);
	assert_int_equal(reader_path(&r, "/node", &i), 0);
	assert_true(S_ISCHR(i.mode));
	ext4_inode_device(&i, &major, &minor);
	assert_int_equal(major, 5);
	assert_int_equal(minor, 1);
	assert_int_equal(reader_path(&r, "/wide", &i), 0);
	ext4_inode_device(&i, &major, &minor);
	assert_int_equal(major, 259);
	assert_int_equal(minor, 60000);
	close_image(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_image_is_read),
		cmocka_unit_test(names_are_found_through_the_index),
		cmocka_unit_test(hashes_are_those_of_e2fsprogs),
		cmocka_unit_test(attributes_are_found),
		cmocka_unit_test(owners_times_and_devices),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

/* libarchive, seen from the outside. */
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/rootfs/archive.h"

/* What is used of libarchive: FUNCTION(name, return type, arguments) */
#define FUNCTIONS                                                                        \
	FUNCTION(archive_read_new, struct archive *, (void))                             \
	FUNCTION(archive_read_support_filter_all, int, (struct archive *))               \
	FUNCTION(archive_read_support_format_tar, int, (struct archive *))               \
	FUNCTION(archive_read_open, int,                                                 \
		 (struct archive *, void *, archive_open_callback *,                     \
		  archive_read_callback *, archive_close_callback *))                    \
	FUNCTION(archive_read_next_header, int,                                          \
		 (struct archive *, struct archive_entry **))                            \
	FUNCTION(archive_read_data_block, int,                                           \
		 (struct archive *, const void **, size_t *, la_int64_t *))              \
	FUNCTION(archive_read_free, int, (struct archive *))                             \
	FUNCTION(archive_filter_count, int, (struct archive *))                          \
	FUNCTION(archive_error_string, const char *, (struct archive *))                 \
	FUNCTION(archive_entry_pathname, const char *, (struct archive_entry *))         \
	FUNCTION(archive_entry_hardlink, const char *, (struct archive_entry *))         \
	FUNCTION(archive_entry_symlink, const char *, (struct archive_entry *))          \
	FUNCTION(archive_entry_mode, mode_t, (struct archive_entry *))                   \
	FUNCTION(archive_entry_size, la_int64_t, (struct archive_entry *))               \
	FUNCTION(archive_entry_uid, la_int64_t, (struct archive_entry *))                \
	FUNCTION(archive_entry_gid, la_int64_t, (struct archive_entry *))                \
	FUNCTION(archive_entry_rdevmajor, dev_t, (struct archive_entry *))               \
	FUNCTION(archive_entry_rdevminor, dev_t, (struct archive_entry *))               \
	FUNCTION(archive_entry_mtime, time_t, (struct archive_entry *))                  \
	FUNCTION(archive_entry_mtime_nsec, long, (struct archive_entry *))               \
	FUNCTION(archive_entry_xattr_reset, int, (struct archive_entry *))               \
	FUNCTION(archive_entry_xattr_next, int,                                          \
		 (struct archive_entry *, const char **, const void **, size_t *))

static struct {
#define FUNCTION(name, type, arguments) type(*name) arguments;
	FUNCTIONS
#undef FUNCTION
} la;

struct archive_reader {
	struct archive *archive;
	struct archive_entry *entry;
	struct blob blob; /* what has not been read yet */
	archive_watch watch;
	void *context;
	uint8_t bytes[KIB(256)];
};

static bool library_load(void)
{
	static const struct {
		const char *name;
		void **at;
	} functions[] = {
#define FUNCTION(name, type, arguments) { #name, (void **)&la.name },
		FUNCTIONS
#undef FUNCTION
	};
	void *library = dlopen("libarchive.so.13", RTLD_NOW);

	/* It converts the names that pax headers hold from UTF-8 to the locale's. */
	setlocale(LC_CTYPE, "C.UTF-8");
	for (size_t i = 0; library && i < ARRAY_LEN(functions); i++) {
		*functions[i].at = dlsym(library, functions[i].name);
		if (!*functions[i].at)
			return false;
	}
	return library;
}

/* libarchive's way to more bytes. */
static la_ssize_t more_read(struct archive *archive, void *context,
			    const void **ret_bytes)
{
	struct archive_reader *reader = context;
	size_t want = MIN(reader->blob.size, sizeof(reader->bytes));
	ssize_t n = pread(reader->blob.fd, reader->bytes, want, reader->blob.offset);

	if (n <= 0)
		return n;
	reader->blob.offset += n;
	reader->blob.size -= n;
	if (reader->watch)
		reader->watch(reader->context, reader->bytes, n);
	*ret_bytes = reader->bytes;
	return n;
}

int archive_open(const struct blob *blob, archive_watch watch, void *context,
		 struct archive_reader **ret_reader)
{
	struct archive_reader *reader;

	if (!la.archive_read_new && !library_load())
		return -ENOSYS;
	reader = must_alloc(sizeof(*reader));
	reader->blob = *blob;
	reader->watch = watch;
	reader->context = context;
	reader->archive = la.archive_read_new();
	if (reader->archive) {
		la.archive_read_support_filter_all(reader->archive);
		la.archive_read_support_format_tar(reader->archive);
		*ret_reader = reader;
		/* What it could not open, the first header tells with a reason. */
		(void)la.archive_read_open(reader->archive, reader, NULL, more_read,
					   NULL);
		return 0;
	}
	free(reader);
	return -EIO;
}

int archive_next(struct archive_reader *reader, struct archive_item *ret_item)
{
	int result = la.archive_read_next_header(reader->archive, &reader->entry);
	struct archive_entry *entry = reader->entry;

	if (result == ARCHIVE_EOF)
		return 0;
	if (result != ARCHIVE_OK && result != ARCHIVE_WARN)
		return -EIO;
	*ret_item = (struct archive_item){
		.path = la.archive_entry_pathname(entry),
		.hardlink = la.archive_entry_hardlink(entry),
		.meta = { .mode = la.archive_entry_mode(entry),
			  .uid = la.archive_entry_uid(entry),
			  .gid = la.archive_entry_gid(entry),
			  .major = la.archive_entry_rdevmajor(entry),
			  .minor = la.archive_entry_rdevminor(entry),
			  .mtime_s = la.archive_entry_mtime(entry),
			  .mtime_ns = la.archive_entry_mtime_nsec(entry),
			  .target = la.archive_entry_symlink(entry) },
	};
	if (S_ISREG(ret_item->meta.mode))
		ret_item->meta.size = MAX(la.archive_entry_size(entry), 0);
	if (!S_ISLNK(ret_item->meta.mode))
		ret_item->meta.target = NULL;
	else if (!ret_item->meta.target)
		ret_item->meta.target = "";
	return 1;
}

void archive_xattrs(struct archive_reader *reader, struct tree_inode *inode)
{
	const char *name;
	const void *value;
	size_t size;

	la.archive_entry_xattr_reset(reader->entry);
	while (la.archive_entry_xattr_next(reader->entry, &name, &value, &size) ==
	       ARCHIVE_OK)
		if (name)
			tree_xattr_set(inode, name, value, size);
}

int archive_data(struct archive_reader *reader, const void **ret_bytes, size_t *ret_size,
		 uint64_t *ret_offset)
{
	la_int64_t offset;
	int result =
		la.archive_read_data_block(reader->archive, ret_bytes, ret_size, &offset);

	if (result == ARCHIVE_EOF)
		return 0;
	if ((result != ARCHIVE_OK && result != ARCHIVE_WARN) || offset < 0)
		return -EIO;
	*ret_offset = offset;
	return 1;
}

int archive_finish(struct archive_reader *reader)
{
	const void *bytes;
	la_ssize_t n;

	do
		n = more_read(reader->archive, reader, &bytes);
	while (n > 0);
	return n < 0 || reader->blob.size ? -EIO : 0;
}

bool archive_compressed(const struct archive_reader *reader)
{
	return la.archive_filter_count(reader->archive) > 1;
}

const char *archive_why(const struct archive_reader *reader)
{
	const char *why = la.archive_error_string(reader->archive);

	return why ? why : "cannot read it";
}

void archive_close(struct archive_reader *reader)
{
	if (!reader)
		return;
	la.archive_read_free(reader->archive);
	free(reader);
}

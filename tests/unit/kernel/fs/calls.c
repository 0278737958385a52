/* The file calls that tests are made of. */
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/namei.h"
#include "lib/string.h"
#include "tests/unit/kernel/fs/harness.h"

#define BUF_SIZE 65536

int64_t put(const char *path, const char *text)
{
	struct file *f;

	int err = file_open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666, 0, &f);
	if (err)
		return err;
	int64_t n = file_write_kernel(f, text, strlen(text), 0);
	file_put(f);
	return n;
}

const char *get(const char *path)
{
	static char buf[BUF_SIZE];
	struct file *f;

	if (file_open_at(AT_FDCWD, path, O_RDONLY, 0, 0, &f))
		return NULL;
	int64_t n = file_read_kernel(f, buf, sizeof buf - 1, 0);
	file_put(f);
	if (n < 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

int64_t stat_of(const char *path, struct kstat *ret)
{
	struct path p;

	int err = path_at(AT_FDCWD, path, 0, &p);
	if (err)
		return err;
	err = vfs_getattr(&p, ret);
	path_put(&p);
	return err;
}

int exists(const char *path)
{
	struct kstat k;
	return stat_of(path, &k) == 0;
}

struct file *must_open(const char *path, uint32_t flags)
{
	struct file *f;

	int err = file_open_at(AT_FDCWD, path, flags, 0666, 0, &f);
	insist(!err);
	return f;
}

struct collect {
	struct dir_ctx ctx;
	char name[256][64];
	size_t n;
};

static bool add_name(struct dir_ctx *c, const char *name, size_t len, uint64_t next,
		     uint64_t ino, uint8_t type)
{
	struct collect *k = container_of(c, struct collect, ctx);

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	size_t at = k->n++;
	char text[64] = "";
	memcpy(text, name, len);
	for (; at && strcmp(k->name[at - 1], text) > 0; at--)
		memcpy(k->name[at], k->name[at - 1], sizeof text);
	memcpy(k->name[at], text, sizeof text);
	return true;
}

const char *names(const char *path)
{
	static char buf[BUF_SIZE];
	static struct collect c;
	struct file *f = must_open(path, O_RDONLY | O_DIRECTORY);
	char *at = buf;

	c.ctx.emit = add_name;
	c.n = 0;
	int err = file_iterate(f, &c.ctx);
	insist(!err);
	file_put(f);
	*at = '\0';
	for (size_t k = 0; k < c.n; k++) {
		if (k)
			*at++ = ' ';
		at += str_copy(at, c.name[k], 64);
	}
	return buf;
}

static int change(const char *path, struct attr_change *a)
{
	struct path p;

	int err = path_at(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = vfs_setattr(&p, a);
	path_put(&p);
	return err;
}

int chmod_to(const char *path, uint32_t mode)
{
	return change(path, &(struct attr_change){ .valid = ATTR_MODE, .mode = mode });
}

int truncate_to(const char *path, uint64_t size)
{
	struct path p;

	int err = path_at(AT_FDCWD, path, WALK_FOLLOW, &p);
	if (err)
		return err;
	err = vfs_resize(&p, size);
	path_put(&p);
	return err;
}

int readlink_of(const char *path, char *buf, size_t n)
{
	struct path p;

	int err = path_at(AT_FDCWD, path, 0, &p);
	if (err)
		return err;
	struct inode *i = p.dentry->inode;
	int64_t len = i->ops->readlink ? i->ops->readlink(i, buf, n - 1) : -EINVAL;
	if (len >= 0)
		buf[len] = '\0';
	path_put(&p);
	return (int)len;
}

int open_err(const char *path, uint32_t flags)
{
	struct file *f;
	int err = file_open_at(AT_FDCWD, path, flags, 0666, 0, &f);
	if (!err)
		file_put(f);
	return err;
}

int rename_to(const char *a, const char *b, uint32_t flags)
{
	return vfs_rename(AT_FDCWD, a, AT_FDCWD, b, flags);
}

int small_tree(void **state)
{
	harness_begin();
	harness_mount_root("tmpfs", NULL);
	int err = vfs_mkdir(AT_FDCWD, "/d", 0755);
	insist(!err && put("/d/f", "text") == 4);
	return 0;
}

int small_tree_end(void **state)
{
	harness_end();
	return 0;
}

/* ustat and sysfs: what is mounted, and of which type, by numbers. */
#include <asm/statfs.h>

#include "fs/mount.h"
#include "lib/string.h"
#include "sys/syscall.h"

/* ustat(2); no UAPI header has it. */
struct ustat_form {
	int32_t tfree;
	uint64_t tinode;
	char fname[6], fpack[6];
};

/* ---- ustat ---- */

struct search {
	dev_id_t dev;
	struct mount *found; /* referenced */
};

static void look_at(struct mount *m, void *arg)
{
	struct search *s = arg;

	if (s->found || m->sb->dev != s->dev)
		return;
	mount_get(m);
	s->found = m;
}

int64_t sys_ustat(uint32_t dev, uaddr_t buf)
{
	struct search s = { .dev = dev };
	struct ustat_form u;
	struct statfs st = { 0 };
	struct path root;

	fs_root_get(&root);
	mount_for_each(&root, look_at, &s);
	path_put(&root);
	if (!s.found)
		return -EINVAL;
	const struct super_ops *ops = s.found->sb->ops;
	int err = ops->statfs ? ops->statfs(s.found->sb, &st) : 0;
	mount_put(s.found);
	if (err)
		return err;
	memset(&u, 0, sizeof u); /* its padding, too */
	u.tfree = (int32_t)st.f_bfree;
	u.tinode = (uint64_t)st.f_ffree;
	return copy_out(buf, &u, sizeof u);
}

/* ---- sysfs ---- */

enum { SYSFS_INDEX_OF = 1, SYSFS_NAME_OF, SYSFS_COUNT };

struct types {
	const char *name; /* sought; NULL: by number */
	uint32_t number, n;
	const struct fs_type *found;
};

static void count_type(const struct fs_type *t, void *arg)
{
	struct types *all = arg;

	if (!all->found &&
	    (all->name ? !strcmp(t->name, all->name) : all->n == all->number)) {
		all->found = t;
		all->number = all->n;
	}
	all->n++;
}

static int64_t index_of(uaddr_t name)
{
	char text[64];
	struct types all = { .name = text };

	int64_t n = copy_in_str(text, name, sizeof text);
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	fs_type_for_each(count_type, &all);
	return all.found ? (int64_t)all.number : -EINVAL;
}

static int64_t name_of(uint32_t number, uaddr_t buf)
{
	struct types all = { .number = number };

	fs_type_for_each(count_type, &all);
	return all.found ? copy_out(buf, all.found->name, strlen(all.found->name) + 1)
			 : -EINVAL;
}

int64_t sys_sysfs(int32_t option, uint64_t arg1, uint64_t arg2)
{
	struct types all = { .number = UINT32_MAX };

	switch (option) {
	case SYSFS_INDEX_OF:
		return index_of(UADDR(arg1));
	case SYSFS_NAME_OF:
		return name_of((uint32_t)arg1, UADDR(arg2));
	case SYSFS_COUNT:
		fs_type_for_each(count_type, &all);
		return all.n;
	}
	return -EINVAL;
}

/*
 * devpts: a folder whose entries are the open pty pairs. Each mount has its own numbers.
 *
 * Always true:
 *  D1  an entry exists from the open of ptmx until that file's last close;
 *  D2  a number is in use until nobody holds either side, so that a hung-up slave is
 *      never mistaken for a new one;
 *  D3  a slave's inode holds its terminal.
 */
#include "core/panic.h"
#include "fs/chrdev.h"
#include "fs/devpts/devpts_internal.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/slab.h"

#define DEVPTS_MAGIC 0x1cd1u
#define INO_ROOT 1u
#define INO_PTMX 2u
#define INO_FIRST 3u
#define POS_PTMX 2u
#define POS_FIRST 3u

/* ---- pairs ---- */

void devpts_put(struct devpts *d)
{
	if (!ref_put(&d->refs))
		return;
	radix_fini(&d->entries);
	radix_fini(&d->numbers);
	heap_free(d);
}

/* Nobody holds the pair any more. */
static void pair_gone(void *owner, uint32_t index)
{
	struct devpts *d = owner;

	mutex_lock(&d->lock);
	radix_remove(&d->numbers, index);
	mutex_unlock(&d->lock);
	devpts_put(d);
}

static int slave_open(struct inode *i, struct file *f)
{
	return tty_file_open(tty_get(i->priv), f);
}

static const struct file_ops slave_file_ops = { .open = slave_open };
static const struct inode_ops node_ops;

static struct inode *node_new(struct devpts *d, uint32_t ino, uint32_t mode)
{
	const struct cred *c = thread_current()->cred;
	struct inode *i = d->sb ? inode_new(d->sb, ino) : NULL;

	if (!i)
		return NULL;
	inode_init_owner(i, NULL, S_IFCHR | mode);
	i->ops = &node_ops;
	i->uid = d->opt.has_uid ? d->opt.uid : c ? c->fsuid : 0;
	i->gid = d->opt.has_gid ? d->opt.gid : c ? c->fsgid : 0;
	return i;
}

/* Lock held. A number and its entry. */
static int pair_add(struct devpts *d, struct pty **ret)
{
	struct inode *i;
	struct pty *p;
	uint64_t index;
	int err;

	if (!radix_first_absent(&d->numbers, 0, d->opt.max - 1, &index))
		return -ENOSPC;
	err = radix_insert(&d->numbers, index, d);
	if (err)
		return err;
	err = -ENOMEM;
	i = node_new(d, INO_FIRST + index, d->opt.mode);
	if (!i)
		goto drop_number;
	err = radix_insert(&d->entries, index, i);
	if (err)
		goto drop_inode;
	err = pty_new(index, pair_gone, d, &p);
	if (err)
		goto drop_entry;
	/* Nothing below can fail. */
	ref_get(&d->refs);
	i->fops = &slave_file_ops;
	i->rdev = tty_device_number(pty_slave(p));
	i->priv = tty_get(pty_slave(p));
	*ret = p;
	return 0;

drop_entry:
	radix_remove(&d->entries, index);
drop_inode:
	inode_put(i);
drop_number:
	radix_remove(&d->numbers, index);
	return err;
}

int devpts_pair_new(struct devpts *d, struct pty **ret)
{
	int err;

	mutex_lock(&d->lock);
	err = pair_add(d, ret);
	mutex_unlock(&d->lock);
	return err;
}

void devpts_entry_remove(struct devpts *d, uint32_t index)
{
	struct inode *i;

	mutex_lock(&d->lock);
	i = radix_remove(&d->entries, index);
	mutex_unlock(&d->lock);
	inode_put(i);
}

/* ---- the folder ---- */

/* "0" to "4095", written the one right way. */
static bool parse_number(const struct qname *n, uint64_t *ret)
{
	uint64_t v = 0;

	if (!n->len || n->len > 4 || (n->s[0] == '0' && n->len > 1))
		return false;
	for (uint32_t k = 0; k < n->len; k++) {
		if (n->s[k] < '0' || n->s[k] > '9')
			return false;
		v = v * 10 + (n->s[k] - '0');
	}
	*ret = v;
	return true;
}

static struct inode *entry_get(struct devpts *d, uint64_t index)
{
	struct inode *i;

	mutex_lock(&d->lock);
	i = radix_get(&d->entries, index);
	if (i)
		inode_get(i);
	mutex_unlock(&d->lock);
	return i;
}

static int root_lookup(struct inode *dir, struct dentry *dentry)
{
	struct devpts *d = devpts_of(dir->sb);
	struct inode *i = NULL;
	uint64_t index;

	if (dentry->name.len == 4 && !memcmp(dentry->name.s, "ptmx", 4)) {
		i = node_new(d, INO_PTMX, d->opt.ptmx_mode);
		if (!i)
			return -ENOMEM;
		i->uid = i->gid = 0;
		i->rdev = DEV_ID(TTY_AUX_MAJOR, 2);
		i->fops = &ptmx_file_ops;
	} else if (parse_number(&dentry->name, &index)) {
		i = entry_get(d, index);
	}
	/* A cached name would hold the terminal, and its number, for good. */
	dentry->flags |= DENTRY_NOCACHE;
	dentry_instantiate(dentry, i);
	return 0;
}

static bool devpts_revalidate(struct dentry *dentry)
{
	struct devpts *d = devpts_of(dentry->sb);
	struct inode *now;
	bool same;

	if (!dentry->inode)
		return false;
	if (dentry->inode->ino < INO_FIRST)
		return true;
	now = entry_get(d, dentry->inode->ino - INO_FIRST);
	same = now == dentry->inode;
	inode_put(now);
	return same;
}

static int root_iterate(struct file *f, struct dir_ctx *c)
{
	struct devpts *d = devpts_of(f->inode->sb);
	uint64_t index;
	char name[12];

	if (!dir_emit_dots(f, c))
		return 0;
	if (f->pos == POS_PTMX) {
		if (!c->emit(c, "ptmx", 4, POS_FIRST, INO_PTMX, S_IFCHR >> 12))
			return 0;
		f->pos = POS_FIRST;
	}
	for (;;) {
		bool any;

		mutex_lock(&d->lock);
		any = radix_next(&d->entries, f->pos - POS_FIRST, &index);
		mutex_unlock(&d->lock);
		if (!any)
			return 0;
		if (!c->emit(c, name, fmt_to(name, sizeof name, "%u", (uint32_t)index),
			     POS_FIRST + index + 1, INO_FIRST + index, S_IFCHR >> 12))
			return 0;
		f->pos = POS_FIRST + index + 1;
	}
}

static const struct inode_ops root_ops = { .lookup = root_lookup };
static const struct file_ops root_file_ops = { .iterate = root_iterate };

/* ---- mounting ---- */

struct option {
	const char *name;
	unsigned base;
	uint32_t *to;
	bool *given;
};

/* One "name=value" of the option text. */
static int parse_option(const char *s, size_t len, const struct option *known, size_t n)
{
	const char *eq = memchr(s, '=', len);
	char value[16];
	uint64_t v;

	if (!eq) /* newinstance: every mount is one */
		return 0;
	for (size_t k = 0; k < n; k++) {
		size_t name_len = eq - s, value_len = len - name_len - 1;

		if (strlen(known[k].name) != name_len ||
		    memcmp(known[k].name, s, name_len))
			continue;
		if (!value_len || value_len >= sizeof value)
			return -EINVAL;
		memcpy(value, eq + 1, value_len);
		value[value_len] = '\0';
		if (fmt_parse_u64(value, known[k].base, &v, NULL) || v > UINT32_MAX)
			return -EINVAL;
		*known[k].to = v;
		if (known[k].given)
			*known[k].given = true;
		return 0;
	}
	return -EINVAL;
}

static int parse_options(struct devpts_options *o, const char *s)
{
	const struct option known[] = {
		{ "uid", 10, &o->uid, &o->has_uid },
		{ "gid", 10, &o->gid, &o->has_gid },
		{ "mode", 8, &o->mode, NULL },
		{ "ptmxmode", 8, &o->ptmx_mode, NULL },
		{ "max", 10, &o->max, NULL },
	};

	*o = (struct devpts_options){ .mode = 0600, .max = PTY_MAX };
	while (s && *s) {
		const char *comma = strchr(s, ',');
		size_t len = comma ? (size_t)(comma - s) : strlen(s);
		int err = parse_option(s, len, known, ARRAY_LEN(known));

		if (err)
			return err;
		s += len + !!comma;
	}
	o->mode &= 0777;
	o->ptmx_mode &= 0777;
	return o->max && o->max <= PTY_MAX ? 0 : -EINVAL;
}

static void devpts_evict(struct inode *i)
{
	if (i->priv)
		tty_put(i->priv);
}

static void devpts_put_super(struct super_block *sb)
{
	struct devpts *d = sb->priv;

	mutex_lock(&d->lock);
	d->sb = NULL;
	mutex_unlock(&d->lock);
	devpts_put(d);
}

static size_t devpts_show_options(struct super_block *sb, char *buf, size_t n)
{
	const struct devpts_options *o = &devpts_of(sb)->opt;
	size_t len = 0;

	if (o->has_gid)
		len = fmt_to(buf, n, ",gid=%u", o->gid);
	return len + fmt_to(buf + MIN(len, n), n - MIN(len, n), ",mode=%o,ptmxmode=%03o",
			    o->mode, o->ptmx_mode);
}

static const struct super_ops devpts_ops = {
	.evict = devpts_evict,
	.put_super = devpts_put_super,
	.revalidate = devpts_revalidate,
	.show_options = devpts_show_options,
};

struct devpts *devpts_of(const struct super_block *sb)
{
	return sb->ops == &devpts_ops ? sb->priv : NULL;
}

static int devpts_mount(struct super_block *sb, const char *source, const char *data)
{
	struct devpts *d = heap_zalloc(sizeof *d);
	struct inode *root;
	int err;

	if (!d)
		return -ENOMEM;
	err = parse_options(&d->opt, data);
	root = err ? NULL : inode_new(sb, INO_ROOT);
	if (!root) {
		heap_free(d);
		return err ? err : -ENOMEM;
	}
	ref_init(&d->refs, 1);
	mutex_init(&d->lock, RANK_PIPE);
	radix_init(&d->entries, &radix_heap_ops);
	radix_init(&d->numbers, &radix_heap_ops);
	d->sb = sb;
	sb->ops = &devpts_ops;
	sb->priv = d;
	inode_init_owner(root, NULL, S_IFDIR | 0755);
	root->ops = &root_ops;
	root->fops = &root_file_ops;
	root->nlink = 2;
	sb->root = dentry_new_root(root);
	return sb->root ? 0 : -ENOMEM;
}

static struct fs_type devpts_type = {
	.name = "devpts",
	.magic = DEVPTS_MAGIC,
	.mount = devpts_mount,
};

void devpts_init(void)
{
	int err = chrdev_register(TTY_AUX_MAJOR, 2, 1, "/dev/ptmx", &ptmx_file_ops);

	insist(!err);
	fs_type_register(&devpts_type);
}

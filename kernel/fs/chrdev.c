/*
 * Character devices by number. Ranges are registered while booting or when a device
 * appears, and never go away; newer ones come last.
 */
#include "fs/chrdev.h"

struct chrdev {
	struct list link;
	uint32_t major, minor, n;
	const char *name;
	const struct file_ops *ops;
};

static struct spinlock chrdev_lock = SPINLOCK_INIT(RANK_OBJECT);
static struct list chrdevs = LIST_INIT(chrdevs); /* [chrdev_lock] */

static struct chrdev *find_locked(uint32_t major, uint32_t minor)
{
	list_for_each(c, &chrdevs, struct chrdev, link)
	{
		if (c->major == major && minor >= c->minor && minor - c->minor < c->n)
			return c;
	}
	return NULL;
}

int chrdev_register(uint32_t major, uint32_t minor, uint32_t n, const char *name,
		    const struct file_ops *ops)
{
	struct chrdev *c = heap_zalloc(sizeof *c);
	bool taken;

	if (!c)
		return -ENOMEM;
	*c = (struct chrdev){
		.major = major, .minor = minor, .n = n, .name = name, .ops = ops
	};
	spin_lock(&chrdev_lock);
	taken = find_locked(major, minor) || find_locked(major, minor + n - 1);
	if (!taken)
		list_push_back(&chrdevs, &c->link);
	spin_unlock(&chrdev_lock);
	if (taken)
		heap_free(c);
	return taken ? -EBUSY : 0;
}

int chrdev_open(struct inode *i, struct file *f)
{
	const struct file_ops *ops = NULL;
	struct chrdev *c;

	spin_lock(&chrdev_lock);
	c = find_locked(DEV_MAJOR(i->rdev), DEV_MINOR(i->rdev));
	if (c)
		ops = c->ops;
	spin_unlock(&chrdev_lock);
	if (!ops)
		return -ENXIO;
	f->ops = ops;
	return ops->open ? ops->open(i, f) : 0;
}

bool chrdev_nth(size_t i, uint32_t *ret_major, const char **ret_name)
{
	bool found = false;

	spin_lock(&chrdev_lock);
	list_for_each(c, &chrdevs, struct chrdev, link)
	{
		if (i--)
			continue;
		*ret_major = c->major;
		*ret_name = c->name;
		found = true;
		break;
	}
	spin_unlock(&chrdev_lock);
	return found;
}

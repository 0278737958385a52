/*
 * Virtio ports as files. A port has a node by number as soon as its device is known; a
 * node by name is there always and finds its port when it is opened, since names come
 * late.
 */
#include "fs/devfs/vport.h"

#include "core/log.h"
#include "core/panic.h"
#include "dev/vport.h"
#include "fs/devfs/devfs.h"
#include "lib/string.h"

#define VPORT_MAJOR 248 /* of those Linux leaves to local use */
#define PORTS_PER_DEVICE 32u
#define DEVICES_MAX 4u
#define PORTS_MAX 10u /* whose numbers have one digit: more than dev/vport.h has */
#define NAMED_MINOR (PORTS_PER_DEVICE * DEVICES_MAX)

static const struct {
	const char *node, *port;
} named[] = {
	{ "mayfly-agent", "mayfly.agent" },
};

static int64_t port_read(struct file *f, struct uio *u, uint64_t *pos)
{
	return vport_read(f->priv, u, f->flags & O_NONBLOCK);
}

static int64_t port_write(struct file *f, struct uio *u, uint64_t *pos)
{
	return vport_write(f->priv, u, f->flags & O_NONBLOCK);
}

static uint32_t port_poll(struct file *f, struct poll_table *pt)
{
	poll_add(pt, f, vport_read_queue(f->priv));
	poll_add(pt, f, vport_write_queue(f->priv));
	return vport_poll(f->priv);
}

static int port_fsync(struct file *f)
{
	return vport_sync(f->priv);
}

static void port_release(struct file *f)
{
	if (f->priv)
		vport_close(f->priv);
}

static int port_open(struct inode *i, struct file *f)
{
	uint32_t minor = DEV_MINOR(i->rdev);
	struct vport *p = NULL;
	int err = 0;

	if (minor >= NAMED_MINOR)
		err = vport_named(named[minor - NAMED_MINOR].port, &p);
	else
		p = vport_nth(minor / PORTS_PER_DEVICE, minor % PORTS_PER_DEVICE);
	if (!err)
		err = p ? vport_open(p) : -ENODEV;
	if (!err)
		f->priv = p;
	return err;
}

static const struct file_ops vport_ops = {
	.open = port_open,
	.release = port_release,
	.read = port_read,
	.write = port_write,
	.poll = port_poll,
	.fsync = port_fsync,
	.stream = true,
};

static void node_add(const char *name, uint32_t minor)
{
	if (devfs_add(name, S_IFCHR | 0600, DEV_ID(VPORT_MAJOR, minor)))
		log_err("devfs: no memory for %s\n", name);
}

void vport_files_init(void)
{
	/* devfs keeps the names it is given. */
	static char names[DEVICES_MAX][PORTS_MAX][sizeof("vport0p0")];

	insist(!chrdev_register(VPORT_MAJOR, 0, NAMED_MINOR + ARRAY_LEN(named), "vport",
				&vport_ops));
	for (uint32_t d = 0; d < DEVICES_MAX && vport_nth(d, 1); d++) {
		for (uint32_t id = 1; id < PORTS_MAX && vport_nth(d, id); id++) {
			char *name = names[d][id];

			memcpy(name, "vport0p0", sizeof("vport0p0"));
			name[5] += (char)d;
			name[7] += (char)id;
			node_add(name, d * PORTS_PER_DEVICE + id);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(named) && vport_nth(0, 1); i++)
		node_add(named[i].node, NAMED_MINOR + i);
}

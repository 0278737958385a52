/*
 * /proc/<pid>/ns: there is one namespace of each kind, and every process is in it. There
 * are no user namespaces, so there is no "user" here, and no uid_map and its like beside.
 */
#include <linux/nsfs.h>
#include <linux/sched.h>

#include "core/wait.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/procfs.h"

#define PID_NS_INO 0xeffffffcul

/* Numbered as Linux's first namespaces are: programs take others for a container's. */
static struct namespace
{
	const char *name, *kind;
	uint64_t ino;
	uint32_t flag;	   /* clone(2)'s */
	struct file *file; /* [files_lock] made when first asked for */
}
namespaces[] = {
	{ "cgroup", "cgroup", 0xeffffffb, CLONE_NEWCGROUP, NULL },
	{ "ipc", "ipc", 0xefffffff, CLONE_NEWIPC, NULL },
	{ "mnt", "mnt", 0xf0000001, CLONE_NEWNS, NULL },
	{ "net", "net", 0xf0000000, CLONE_NEWNET, NULL },
	{ "pid", "pid", PID_NS_INO, CLONE_NEWPID, NULL },
	{ "pid_for_children", "pid", PID_NS_INO, CLONE_NEWPID, NULL },
	{ "time", "time", 0xeffffffa, CLONE_NEWTIME, NULL },
	{ "time_for_children", "time", 0xeffffffa, CLONE_NEWTIME, NULL },
	{ "uts", "uts", 0xeffffffe, CLONE_NEWUTS, NULL },
};
static struct mutex files_lock = MUTEX_INIT(files_lock, RANK_PIPE);

static struct namespace *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
		if (!strcmp(name, namespaces[i].name))
			return &namespaces[i];
	return NULL;
}

bool procfs_ns_list(void *task, uint64_t *pos, char *buf, size_t n)
{
	if (*pos >= ARRAY_LEN(namespaces))
		return false;
	str_copy(buf, namespaces[*pos].name, n);
	return true;
}

int64_t procfs_ns_text(void *task, const char *name, char *buf, size_t n)
{
	const struct namespace *ns = find(name);
	char text[32];
	size_t len;

	if (!ns)
		return -ENOENT;
	len = fmt_to(text, sizeof text, "%s:[%llu]", ns->kind,
		     (unsigned long long)ns->ino);
	len = MIN(len, n);
	if (buf)
		memcpy(buf, text, len);
	return (int64_t)len;
}

/* ioctl_ns(2): there is nobody above. */
static int64_t ns_ioctl(struct file *f, uint32_t cmd, uaddr_t arg)
{
	switch (cmd) {
	case NS_GET_NSTYPE:
		for (size_t i = 0; i < ARRAY_LEN(namespaces); i++)
			if (namespaces[i].ino == f->inode->ino)
				return namespaces[i].flag;
		return -EINVAL;
	case NS_GET_USERNS:
		return -EPERM;
	case NS_GET_PARENT:
		return f->inode->ino == PID_NS_INO ? -EPERM : -EINVAL;
	case NS_GET_OWNER_UID:
		return -EINVAL;
	}
	return -ENOTTY;
}

/* The file by which the namespace can be held and told from others. */
int procfs_ns_link(void *task, const char *name, struct path *ret)
{
	static const struct file_ops ns_ops = { .ioctl = ns_ioctl };
	struct namespace *ns = find(name);
	int err = 0;

	if (!ns)
		return -ENOENT;
	if (!ret)
		return 0;
	mutex_lock(&files_lock);
	if (!ns->file)
		err = file_new_numbered(ns->kind, ns->ino, S_IFREG | 0444, &ns_ops, NULL,
					O_RDONLY, &ns->file);
	if (!err) {
		*ret = ns->file->path;
		path_get(ret);
	}
	mutex_unlock(&files_lock);
	return err;
}

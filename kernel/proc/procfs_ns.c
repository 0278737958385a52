/*
 * /proc/<pid>/ns: there is one namespace of each kind, and every process is in it. There
 * are no user namespaces, so there is no "user" here, and no uid_map and its like beside.
 */
#include "core/wait.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "proc/procfs.h"

/* Numbered as Linux's first namespaces are: programs take others for a container's. */
static struct namespace
{
	const char *name, *kind;
	uint64_t ino;
	struct file *file; /* [files_lock] made when first asked for */
}
namespaces[] = {
	{ "cgroup", "cgroup", 0xeffffffb, NULL },
	{ "ipc", "ipc", 0xefffffff, NULL },
	{ "mnt", "mnt", 0xf0000001, NULL },
	{ "net", "net", 0xf0000000, NULL },
	{ "pid", "pid", 0xeffffffc, NULL },
	{ "pid_for_children", "pid", 0xeffffffc, NULL },
	{ "time", "time", 0xeffffffa, NULL },
	{ "time_for_children", "time", 0xeffffffa, NULL },
	{ "uts", "uts", 0xeffffffe, NULL },
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

/* The file by which the namespace can be held and told from others. */
int procfs_ns_link(void *task, const char *name, struct path *ret)
{
	static const struct file_ops no_ops;
	struct namespace *ns = find(name);
	int err = 0;

	if (!ns)
		return -ENOENT;
	if (!ret)
		return 0;
	mutex_lock(&files_lock);
	if (!ns->file)
		err = file_new_numbered(ns->kind, ns->ino, S_IFREG | 0444, &no_ops, NULL,
					O_RDONLY, &ns->file);
	if (!err) {
		*ret = ns->file->path;
		path_get(ret);
	}
	mutex_unlock(&files_lock);
	return err;
}

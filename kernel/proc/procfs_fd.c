/* /proc/<pid>/fd, fdinfo, exe, cwd, root: what a process holds, by proc(5). */
#include "fs/mount.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "mm/space.h"
#include "proc/procfs.h"

#define FDINFO_FIRST 1024 /* room for one file's own lines, at first */

/* ---- descriptors ---- */

/* The file at the first used descriptor >= *fd, referenced; NULL: none. */
static struct file *fd_from(struct task *t, int *fd, bool *ret_cloexec)
{
	struct files *files = task_files_get(t);
	struct file *f;

	if (!files)
		return NULL;
	f = files_next(files, fd, ret_cloexec);
	files_put(files);
	return f;
}

/* The file of exactly the descriptor that a name says. */
static struct file *fd_named(struct task *t, const char *name, bool *ret_cloexec)
{
	uint64_t want;
	struct file *f;
	int fd;

	if (fmt_parse_u64(name, 10, &want, NULL) || want > INT32_MAX ||
	    (name[0] == '0' && name[1]))
		return NULL;
	fd = want;
	f = fd_from(t, &fd, ret_cloexec);
	if (f && (uint64_t)fd != want) {
		file_put(f);
		f = NULL;
	}
	return f;
}

bool procfs_fd_list(void *task, uint64_t *pos, char *buf, size_t n)
{
	int fd = MIN(*pos, (uint64_t)INT32_MAX);
	bool cloexec;
	struct file *f = fd_from(task, &fd, &cloexec);

	if (!f)
		return false;
	file_put(f);
	*pos = fd;
	fmt_to(buf, n, "%d", fd);
	return true;
}

int procfs_fd_link(void *task, const char *name, struct path *ret)
{
	bool cloexec;
	struct file *f = fd_named(task, name, &cloexec);

	if (!f)
		return -ENOENT;
	if (ret) {
		*ret = f->path;
		path_get(ret);
	}
	file_put(f);
	return 0;
}

/* r and w say how the file is open, as proc(5) has it. */
uint32_t procfs_fd_mode(void *task, const char *name)
{
	bool cloexec;
	struct file *f = fd_named(task, name, &cloexec);
	uint32_t mode = 0;

	if (!f)
		return 0;
	if (f->mode & FMODE_READ)
		mode |= S_IRUSR | S_IXUSR;
	if (f->mode & FMODE_WRITE)
		mode |= S_IWUSR | S_IXUSR;
	file_put(f);
	return mode;
}

/* What the file's own kind has to say. */
static void print_own(struct proc_text *o, struct file *f)
{
	size_t room = FDINFO_FIRST, n;
	char *text;

	if (!f->ops || !f->ops->show_fdinfo)
		return;
	for (;; room *= 2) {
		text = heap_alloc(room);
		if (!text) {
			o->err = -ENOMEM;
			return;
		}
		n = f->ops->show_fdinfo(f, text, room);
		if (n < room - 1)
			break;
		heap_free(text);
	}
	proc_write(o, text, n);
	heap_free(text);
}

int procfs_fd_info(struct proc_text *o, void *task, const char *name)
{
	bool cloexec = false;
	struct file *f = fd_named(task, name, &cloexec);
	struct files *table;

	if (!f)
		return -ENOENT;
	if (o) {
		proc_printf(o, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n",
			    (unsigned long)f->pos, f->flags | (cloexec ? O_CLOEXEC : 0),
			    f->path.mnt ? f->path.mnt->id : 0,
			    (unsigned long)f->inode->ino);
		table = task_files_get(task);
		proc_print_file_locks(o, f, table);
		if (table)
			files_put(table);
		print_own(o, f);
	}
	file_put(f);
	return 0;
}

/* ---- program and places ---- */

static void exe_get(void *exe)
{
	file_get(exe);
}

int procfs_exe_link(void *task, struct path *ret)
{
	struct space *s = task_space_get(task);
	struct file *exe;

	if (!s)
		return -ENOENT;
	exe = space_exe_get(s, exe_get);
	if (exe) {
		*ret = exe->path;
		path_get(ret);
		file_put(exe);
	}
	space_put(s);
	return exe ? 0 : -ENOENT;
}

static int place_link(struct task *t, bool root, struct path *ret)
{
	struct fs_ctx *fs = task_fs_get(t);

	if (!fs)
		return -ENOENT;
	spin_lock(&fs->lock);
	*ret = root ? fs->root : fs->cwd;
	path_get(ret);
	spin_unlock(&fs->lock);
	fs_ctx_put(fs);
	return 0;
}

int procfs_cwd_link(void *task, struct path *ret)
{
	return place_link(task, false, ret);
}

int procfs_root_link(void *task, struct path *ret)
{
	return place_link(task, true, ret);
}

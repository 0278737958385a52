/* /proc/net/unix and the limits of AF_UNIX (proc(5), unix(7)). */
#include "net/unix/unix.h"

#include <asm/errno.h>
#include <linux/net.h>

#include "core/panic.h"
#include "fs/procfs/procfs.h"

/* Where Linux shows the kernel's address of a socket there are zeroes, always. */
static void show_socket(struct proc_text *t, struct unix_sock *u)
{
	struct sock_addr a;
	uint64_t ino = 0;
	uint32_t state;

	spin_lock(&u->lock);
	if (u->sock.file)
		ino = u->sock.file->inode->ino;
	state = u->peer ? (ino ? SS_CONNECTED : SS_CONNECTING) : SS_UNCONNECTED;
	spin_unlock(&u->lock);
	unix_name_of(u, &a);
	proc_printf(t, "%016x: %08X %08X %08X %04X %02X %5lu", 0, ref_read(&u->refs), 0,
		    u->state == UNIX_LISTENING ? __SO_ACCEPTCON : 0, u->sock.type, state,
		    (unsigned long)ino);
	if (a.len > offsetof(struct sockaddr_un, sun_path))
		proc_printf(t, " ");
	for (uint32_t k = offsetof(struct sockaddr_un, sun_path); k < a.len; k++) {
		bool last = k + 1 == a.len;
		char c = a.bytes[k] ? (char)a.bytes[k] : '@';

		/* A path's own NUL is none of its text. */
		if (a.bytes[k] || !last || k == offsetof(struct sockaddr_un, sun_path))
			proc_write(t, &c, 1);
	}
	proc_printf(t, "\n");
}

static int show_unix(struct proc_text *t, void *arg)
{
	struct unix_sock *u = NULL;

	proc_printf(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	while ((u = unix_list_next(u)))
		if (u->state != UNIX_DEAD)
			show_socket(t, u);
	return 0;
}

static int show_dgram_backlog(struct proc_text *t, void *arg)
{
	proc_printf(t, "%u\n", unix_dgram_backlog);
	return 0;
}

static int store_dgram_backlog(char *text, size_t n, void *arg)
{
	uint64_t v;
	int err = proc_parse_u64(text, &v);

	if (err || v > INT32_MAX)
		return -EINVAL;
	unix_dgram_backlog = v;
	return 0;
}

static void fill(void)
{
	proc_made(proc_file("net/unix", 0444, show_unix, NULL, NULL));
	proc_made(proc_file("sys/net/unix/max_dgram_qlen", 0644, show_dgram_backlog,
			    store_dgram_backlog, NULL));
}

void unix_procfs_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
}

/* Bringing the VFS up: the order matters, each part uses those before it. */
#include "fs/vfs.h"

#include "fs/dcache.h"
#include "fs/file.h"
#include "fs/inode.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/overlay/overlay.h"
#include "fs/tmpfs/tmpfs.h"

/* Until processes exist: no limits, nobody to signal. */
static uint64_t no_limit(int which)
{
	return UINT64_MAX;
}

static void no_signal(int sig)
{
}

static void no_owner(const struct file_owner *o, const struct file_news *news)
{
}

static int32_t no_id(void)
{
	return 0;
}

static void no_tree(void)
{
}

struct fs_upcalls fs_upcalls = {
	.rlimit = no_limit,
	.signal_current = no_signal,
	.signal_owner = no_owner,
	.current_tgid = no_id,
	.current_tid = no_id,
	.tree_changed = no_tree,
};

void vfs_init(void)
{
	name_init();
	dcache_init();
	inode_cache_init();
	mount_tree_init();
	file_init();
	fdtable_init();
	anon_init();
	tmpfs_init();
	overlay_init();
}

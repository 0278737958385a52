/*
 * The order in which locks may be taken: a thread that holds a lock may take only one of
 * a higher rank (or the same rank where the row says `nest`, in address order or parent
 * to child). Sleeping locks come first: a spinlock holder never sleeps. Debug builds
 * check.
 */
#ifndef CORE_LOCKRANK_H
#define CORE_LOCKRANK_H

enum lock_rank {
	/* sleeping locks */
	RANK_PROC_EXEC = 1, /* process: exec against ptrace, /proc readers */
	RANK_TTY,	    /* tty line discipline and termios */
	RANK_FILE_POS,	    /* file position of read/write/lseek/getdents */
	RANK_AUDIT,	    /* who seals records of the audit log */
	RANK_EPOLL,	    /* epoll instance; nest */
	RANK_MOUNTS,	    /* the mount tree, to change it */
	RANK_SOCKET,	    /* socket: its readers, or who binds and connects it */
	RANK_SOCKET_FLIGHT, /* descriptors in messages of sockets, and their collector */
	RANK_SB_RENAME,	    /* one per super block: directory renames */
	RANK_INODE,	    /* inode: directory content, size; nest parent to child */
	RANK_PROC_FILL,	    /* procfs: a folder's files are made at the first look */
	RANK_PIPE,	    /* pipe buffers */
	RANK_PORT,	    /* virtio port: its reader or its writer */
	RANK_AIO,	    /* who takes events of an io_setup(2) context */
	RANK_SPACE,	    /* address space: areas (shared or exclusive) */
	RANK_MAPPING,	    /* page cache of one inode: fill and truncate */
	/* an overlay's upper layer; within it the layers' own inodes */
	RANK_OVERLAY,
	RANK_NOTIFY,   /* watches of inodes */
	RANK_BLK,      /* block device request queue full */
	RANK_RULESET,  /* a Landlock ruleset */
	RANK_FINDINGS, /* what policies refused and learned */
	/* spinlocks */
	RANK_SPIN = 64,
	RANK_MOUNT = RANK_SPIN, /* mount tree */
	RANK_DCACHE,		/* dentry hash and LRU; dentry children */
	RANK_ICACHE,		/* inode hash */
	RANK_FILES,		/* fd table */
	RANK_FS_CTX,		/* cwd, root, umask */
	RANK_LEASE,		/* leases of files: signals are sent under it */
	RANK_ACL,		/* which access control lists inodes have */
	RANK_SOCK_NAMES,	/* names of sockets, and the list of all */
	RANK_SOCK,		/* one socket's queue and state; nest by address */
	RANK_IPC_IDS,		/* which System V objects there are */
	RANK_IPC,		/* one IPC object */
	RANK_IPC_UNDO,		/* SEM_UNDO adjustments of a process */
	RANK_ASYNC,		/* who asked for signals of input and output */
	RANK_TASK_LIST,		/* process tree, pid map, groups and sessions */
	RANK_SIGNAL,		/* signal state of a process */
	RANK_FUTEX,		/* futex hash bucket; nest in address order */
	RANK_PI,		/* futexes with an owner */
	RANK_MAPPING_TREE,	/* pages of one mapping, and which areas map it */
	RANK_PT,		/* page tables of one space */
	RANK_PAGE_LRU,		/* reclaimable pages */
	/* a small object's own state (eventfd, timerfd, tty buffer …) */
	RANK_OBJECT,
	/* device queue or port: its interrupt handler wakes under it */
	RANK_DEV,
	RANK_WAITQ, /* wait queue */
	/* epoll ready list: taken inside a wake-up; nest watched to watching */
	RANK_EPOLL_READY,
	/* the wait queue of an epoll instance, woken from there */
	RANK_WAITQ_EPOLL,
	/* polls of io_submit(2) that were woken, and who works through them */
	RANK_AIO_READY,
	RANK_WAITQ_AIO,
	RANK_SLAB,  /* slab cache */
	RANK_BUDDY, /* page allocator zone */
	RANK_VMAP,
	RANK_TIMER, /* per-CPU timer tree */
	RANK_RUNQ,  /* per-CPU run queue; nest in CPU order */
	RANK_LOG,   /* kernel log */
	RANK_LEAF,
};

#endif

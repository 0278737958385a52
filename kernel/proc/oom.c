/*
 * Out of memory: the process that holds most of it ends, so that the rest can go on.
 * Process 1 is never chosen (it has to report), nor what set oom_score_adj to -1000.
 */
#include "core/log.h"
#include "proc/proc.h"

#define ADJ_NEVER (-1000)

static _Atomic uint64_t kills;

uint64_t oom_kill_count(void)
{
	return __atomic_load_n((uint64_t *)&kills, __ATOMIC_RELAXED);
}

static uint64_t resident(const struct space *s)
{
	return s->rss_anon + s->rss_file + s->rss_shmem;
}

/* proc(5), oom_score_adj: each point is a thousandth of memory. p->lock held. *ret_pages:
 * what it really holds. */
static uint64_t badness(struct process *p, uint64_t total, uint64_t *ret_pages)
{
	const struct space *s = NULL;
	list_for_each(t, &p->tasks, struct task, link) if (t->thread.space) s =
		t->thread.space;
	if (!s || p->oom_score_adj <= ADJ_NEVER)
		return 0;
	*ret_pages = resident(s);
	int64_t points =
		(int64_t)*ret_pages + (int64_t)p->oom_score_adj * (int64_t)total / 1000;
	return points > 0 ? (uint64_t)points : 1;
}

struct choice {
	struct process *worst;
	uint64_t points, pages;
	bool dying; /* one is on its way out with its memory: wait for that */
};

static void consider(struct process *p, uint64_t total, struct choice *c)
{
	spin_lock(&p->lock);
	uint64_t pages = 0, points = badness(p, total, &pages);
	if (points && p->oom_victim)
		c->dying = true;
	spin_unlock(&p->lock);
	if (points && points >= c->points) { /* of equals, not what made the others */
		c->points = points;
		c->pages = pages;
		c->worst = p;
	}
}

/* The whole tree, without recursion: down to the first child, else on to the next
 * sibling. */
static struct process *next_in_tree(struct process *p)
{
	if (!list_empty(&p->children))
		return list_first(&p->children, struct process, sibling);
	while (p != init_process && p->sibling.next == &p->parent->children)
		p = p->parent;
	return p == init_process ? init_process
				 : list_first(&p->sibling, struct process, sibling);
}

static bool oom_kill(void)
{
	struct page_stats mem;
	struct choice c = { 0 };
	int32_t pid = 0;
	char name[16];
	page_stats_get(&mem);
	if (!init_process)
		return false;
	uint64_t flags = spin_lock_irq(&tasklist_lock);
	for (struct process *p = next_in_tree(init_process); p != init_process;
	     p = next_in_tree(p))
		consider(p, mem.total, &c);
	if (c.worst && !c.dying) {
		c.worst->oom_victim = true;
		pid = c.worst->pid;
		__builtin_memcpy(name, c.worst->leader->thread.name, sizeof name);
		(void)signal_send_process(c.worst, SIGKILL, NULL);
	}
	spin_unlock_irq(&tasklist_lock, flags);
	if (pid) {
		__atomic_fetch_add((uint64_t *)&kills, 1, __ATOMIC_RELAXED);
		log_warn("out of memory: killed process %d (%s), %lu KiB", pid, name,
			 (unsigned long)(c.pages * PAGE_SIZE / 1024));
	}
	return pid || c.dying;
}

void oom_init(void)
{
	page_set_oom_handler(oom_kill);
}

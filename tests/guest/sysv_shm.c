/* System V shared memory: shmget, shmat, shmdt, shmctl. What a case makes outlives it: on
 * a host, run this under `unshare -i`. */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/tap.h"

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif

#define PAGE 4096ul

static int segment(size_t size)
{
	int id = shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);

	CHECK(id >= 0);
	return id;
}

static struct shmid_ds stat_of(int id)
{
	struct shmid_ds ds;

	CHECK_EQ(shmctl(id, IPC_STAT, &ds), 0);
	return ds;
}

static key_t fresh_key(void)
{
	return (key_t)(0x4d790000 + getpid());
}

static void is_shared_and_persists(void)
{
	int id = segment(3 * PAGE);
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);

	CHECK(a != (void *)-1 && b != (void *)-1 && a != b);
	strcpy(a + PAGE, "shared");
	CHECK(!strcmp(b + PAGE, "shared"));
	pid_t child = fork();
	if (!child) {
		strcpy(a, "child");
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	CHECK(!strcmp(b, "child"));
	CHECK_EQ(shmdt(a), 0);
	CHECK_EQ(shmdt(b), 0);
	a = shmat(id, NULL, 0);
	CHECK(!strcmp(a, "child") && !strcmp(a + PAGE, "shared") && !a[2 * PAGE]);
}

static void keys_and_flags(void)
{
	key_t key = fresh_key();
	int id = shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0640);

	CHECK(id >= 0);
	CHECK_EQ(shmget(key, PAGE, IPC_CREAT), id);
	CHECK_EQ(shmget(key, 0, 0), id);
	CHECK_EQ(shmget(key, 1, 0400), id);
	CHECK_ERR(shmget(key, PAGE, IPC_CREAT | IPC_EXCL), EEXIST);
	CHECK_ERR(shmget(key, PAGE + 1, 0), EINVAL);
	CHECK_ERR(shmget(key + 1000000, PAGE, 0), ENOENT);
	CHECK_ERR(shmget(IPC_PRIVATE, 0, IPC_CREAT), EINVAL);
	CHECK_ERR(shmget(IPC_PRIVATE, -1ul, IPC_CREAT), EINVAL);
	struct shmid_ds ds = stat_of(id);
	CHECK_EQ(ds.shm_perm.mode, 0640);
	CHECK_EQ(ds.shm_perm.__key, key);
	CHECK_EQ(ds.shm_segsz, PAGE);
	CHECK_EQ(ds.shm_cpid, getpid());
	CHECK_EQ(ds.shm_lpid, 0);
	CHECK(ds.shm_ctime > 0 && ds.shm_atime == 0 && ds.shm_dtime == 0);
}

static void attaching_addresses(void)
{
	int id = segment(2 * PAGE);
	char *at = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_ERR((long)shmat(id, at, 0), EINVAL);
	CHECK_ERR((long)shmat(id, at + 1, SHM_REMAP), EINVAL);
	CHECK_ERR((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	CHECK(shmat(id, at, SHM_REMAP) == at);
	CHECK(shmat(id, at + 4 * PAGE + 77, SHM_REMAP | SHM_RND) == at + 4 * PAGE);
	at[PAGE] = 7;
	CHECK_EQ(at[5 * PAGE], 7);
	CHECK_ERR(shmdt(at + PAGE), EINVAL);
	CHECK_ERR(shmdt(at + 1), EINVAL);
	CHECK_EQ(shmdt(at), 0);
	CHECK_ERR(shmdt(at), EINVAL);
	CHECK_EQ(at[5 * PAGE], 7);
	CHECK_ERR((long)shmat(-1, NULL, 0), EINVAL);
	CHECK_ERR((long)shmat(id + 32768 * 7, NULL, 0), EINVAL);
}

static void read_only_stays_so(void)
{
	int id = segment(PAGE);
	char *a = shmat(id, NULL, SHM_RDONLY);

	CHECK(a != (void *)-1);
	CHECK_ERR(mprotect(a, PAGE, PROT_READ | PROT_WRITE), EACCES);
	CHECK_EQ(mprotect(a, PAGE, PROT_NONE), 0);
	pid_t child = fork();
	if (!child) {
		mprotect(a, PAGE, PROT_READ);
		*(volatile char *)a = 1;
		_exit(0);
	}
	CHECK_EQ(WTERMSIG(tap_wait(child)), SIGSEGV);
	char *w = shmat(id, NULL, 0);
	*w = 1; /* the twin */
	CHECK_EQ(mprotect(w, PAGE, PROT_READ), 0);
	CHECK_EQ(mprotect(w, PAGE, PROT_READ | PROT_WRITE), 0);
}

static void may_be_executed(void)
{
	int id = segment(PAGE);
	/* mov $42, %eax; ret */
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	char *a = shmat(id, NULL, 0);

	memcpy(a, code, sizeof code);
	CHECK_EQ(shmctl(id, IPC_STAT, &(struct shmid_ds){ 0 }), 0);
	if (geteuid()) {
		CHECK_ERR((long)shmat(id, NULL, SHM_EXEC), EACCES);
	} else {
		int (*fn)(void) = (int (*)(void))shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
		CHECK(fn != (void *)-1);
		CHECK_EQ(fn(), 42);
	}
}

static void counts_attachments(void)
{
	int id = segment(8 * PAGE), go[2], back[2];
	char *a = shmat(id, NULL, 0), c;

	CHECK_EQ(stat_of(id).shm_nattch, 1);
	CHECK(pipe(go) == 0 && pipe(back) == 0);
	pid_t child = fork();
	if (!child) {
		close(go[1]);
		if (write(back[1], "x", 1) != 1 || read(go[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	CHECK_EQ(read(back[0], &c, 1), 1);
	CHECK_EQ(stat_of(id).shm_nattch, 2);
	close(go[1]);
	CHECK_EQ(tap_wait(child), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 1);
	CHECK_EQ(stat_of(id).shm_lpid, child);
	/* A hole makes two of one, */
	CHECK_EQ(munmap(a + 3 * PAGE, PAGE), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 2);
	/* cutting an end off does not, */
	CHECK_EQ(munmap(a, PAGE), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 2);
	/* other rights do, and they stay apart; */
	CHECK_EQ(mprotect(a + 5 * PAGE, PAGE, PROT_READ), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 4);
	CHECK_EQ(mprotect(a + 5 * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 4);
	/* moving keeps the number; */
	char *b = mremap(a + 5 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			 mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(b != MAP_FAILED);
	CHECK_EQ(stat_of(id).shm_nattch, 4);
	/* and all that lies where it was attached goes at once. */
	CHECK_EQ(shmdt(a), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 1);
	munmap(b, PAGE);
	CHECK_EQ(stat_of(id).shm_nattch, 0);
}

static void exec_detaches(void)
{
	int id = segment(PAGE);

	pid_t child = fork();
	if (!child) {
		char n[16];
		if (shmat(id, NULL, 0) == (void *)-1)
			_exit(9);
		snprintf(n, sizeof n, "%d", id);
		execl("/proc/self/exe", "x", "--nattch", n, NULL);
		_exit(8);
	}
	CHECK_EQ(tap_wait(child), 0);
}

static void removed_lives_until_last_detach(void)
{
	key_t key = fresh_key();
	int id = shmget(key, PAGE, IPC_CREAT | 0600);
	char *a = shmat(id, NULL, 0);

	strcpy(a, "still there");
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	struct shmid_ds ds = stat_of(id);
	CHECK_EQ(ds.shm_perm.mode, 01600); /* SHM_DEST */
	CHECK_EQ(ds.shm_perm.__key, IPC_PRIVATE);
	CHECK_ERR(shmget(key, PAGE, 0), ENOENT);
	char *b = shmat(id, NULL, 0);
	CHECK(b != (void *)-1 && !strcmp(b, "still there"));
	CHECK_EQ(shmdt(a), 0);
	CHECK_EQ(stat_of(id).shm_nattch, 1);
	CHECK_EQ(shmdt(b), 0);
	CHECK_ERR(shmctl(id, IPC_STAT, &ds), EINVAL);
	CHECK_ERR((long)shmat(id, NULL, 0), EINVAL);
	CHECK_ERR(shmctl(id, IPC_RMID, NULL), EINVAL);
}

static void numbers_are_not_reused_at_once(void)
{
	int a = segment(PAGE);

	CHECK_EQ(shmctl(a, IPC_RMID, NULL), 0);
	int b = segment(PAGE);
	CHECK(a != b);
	CHECK_ERR((long)shmat(a, NULL, 0), EINVAL);
	CHECK_EQ(stat_of(b).shm_segsz, PAGE);
}

static void control_and_information(void)
{
	int id = segment(5 * PAGE);
	struct shmid_ds ds = stat_of(id);
	struct shm_info info;
	struct shminfo limits;

	ds.shm_perm.mode = 0444;
	CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);
	CHECK_EQ(stat_of(id).shm_perm.mode, 0444);
	CHECK_ERR(shmctl(id, IPC_STAT, (void *)8), EFAULT);
	CHECK_ERR(shmctl(id, 999, NULL), EINVAL);
	CHECK_ERR(shmctl(-1, IPC_STAT, &ds), EINVAL);
	int top = shmctl(0, SHM_INFO, (void *)&info);
	CHECK(top >= 0 && info.used_ids >= 1 && info.shm_tot >= 5);
	CHECK(shmctl(0, IPC_INFO, (void *)&limits) >= 0);
	CHECK_EQ(limits.shmmni, 4096);
	CHECK_EQ(limits.shmmin, 1);
	bool found = false;
	for (int i = 0; i <= top; i++)
		found |= shmctl(i, SHM_STAT, &ds) == id;
	CHECK(found);
	CHECK_ERR(shmctl(40000, SHM_STAT, &ds), EINVAL);
	CHECK_EQ(shmctl(id & 32767, SHM_STAT_ANY, &ds), id);
	CHECK_EQ(shmctl(id, SHM_LOCK, NULL), 0);
	CHECK_EQ(stat_of(id).shm_perm.mode, 02444); /* SHM_LOCKED */
	CHECK_EQ(shmctl(id, SHM_UNLOCK, NULL), 0);
	CHECK_EQ(stat_of(id).shm_perm.mode, 0444);
}

static void become(uid_t uid)
{
	CHECK(setgroups(0, NULL) == 0 && setresgid(uid, uid, uid) == 0 &&
	      setresuid(uid, uid, uid) == 0);
}

static void permissions(void)
{
	tap_needs_root();
	int id = segment(PAGE);
	struct shmid_ds ds = stat_of(id);

	ds.shm_perm.uid = 1000;
	ds.shm_perm.mode = 0640;
	CHECK_EQ(shmctl(id, IPC_SET, &ds), 0);
	pid_t child = fork();
	if (!child) { /* nobody of those named */
		become(2000);
		CHECK_ERR((long)shmat(id, NULL, SHM_RDONLY), EACCES);
		CHECK_ERR(shmctl(id, IPC_STAT, &ds), EACCES);
		CHECK_ERR(shmctl(id & 32767, SHM_STAT, &ds), EACCES);
		CHECK_EQ(shmctl(id & 32767, SHM_STAT_ANY, &ds), id);
		CHECK_ERR(shmctl(id, IPC_SET, &ds), EPERM);
		CHECK_ERR(shmctl(id, IPC_RMID, NULL), EPERM);
		CHECK_ERR(shmctl(id, SHM_LOCK, NULL), EPERM);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	child = fork();
	if (!child) { /* the group may read */
		CHECK(setgroups(0, NULL) == 0 && setgid(0) == 0 && setuid(2000) == 0);
		CHECK(shmat(id, NULL, SHM_RDONLY) != (void *)-1);
		CHECK_ERR((long)shmat(id, NULL, 0), EACCES);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
	child = fork();
	if (!child) { /* the owner may all of it */
		become(1000);
		CHECK(shmat(id, NULL, 0) != (void *)-1);
		CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
		_exit(0);
	}
	CHECK_EQ(tap_wait(child), 0);
}

static void shows_in_proc(void)
{
	int id = segment(2 * PAGE), n = 0;
	char line[512], text[64], want[64];
	char *a = shmat(id, NULL, 0);
	unsigned long lo, hi, ino;

	*a = 1;
	snprintf(want, sizeof want, "%lx-%lx", (unsigned long)a,
		 (unsigned long)a + 2 * PAGE);
	FILE *f = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, f)) {
		if (strncmp(line, want, strlen(want)))
			continue;
		CHECK_EQ(sscanf(line, "%lx-%lx rw-s 00000000 00:01 %lu %63[^\n]", &lo,
				&hi, &ino, text),
			 4);
		CHECK_EQ(ino, id);
		CHECK(strstr(text, "/SYSV00000000 (deleted)"));
		n++;
	}
	fclose(f);
	CHECK_EQ(n, 1);
	f = fopen("/proc/sysvipc/shm", "r");
	CHECK(fgets(line, sizeof line, f));
	CHECK(!strncmp(line, "       key      shmid perms                  size", 49));
	n = 0;
	while (fgets(line, sizeof line, f)) {
		int key, shmid, mode, cpid, lpid, nattch;
		unsigned long size;
		CHECK_EQ(sscanf(line, "%d %d %o %lu %d %d %d", &key, &shmid, &mode, &size,
				&cpid, &lpid, &nattch),
			 7);
		if (shmid != id)
			continue;
		CHECK(mode == 0600 && size == 2 * PAGE && nattch == 1 &&
		      cpid == getpid());
		n++;
	}
	fclose(f);
	CHECK_EQ(n, 1);
}

static void no_memory_beyond_its_end(void)
{
	int id = segment(PAGE / 2);
	char *a = shmat(id, NULL, 0);

	a[PAGE - 1] = 1; /* the page it ends in is all there */
	CHECK_EQ(a[PAGE - 1], 1);
	CHECK_EQ(stat_of(id).shm_segsz, PAGE / 2);
	char *b = mremap(a, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	CHECK(b != MAP_FAILED);
	pid_t child = fork();
	if (!child) {
		*(volatile char *)(b + PAGE) = 1;
		_exit(0);
	}
	CHECK_EQ(WTERMSIG(tap_wait(child)), SIGBUS);
}

/* Pages of all segments. */
static long resident(void)
{
	struct shm_info info;

	CHECK(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) >= 0);
	return (long)info.shm_rss;
}

static void pages_can_be_taken_out(void)
{
	int id = segment(4 * PAGE);
	char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, 0);
	char *readable = shmat(id, NULL, SHM_RDONLY);
	long before = resident();

	memset(a, 'x', 4 * PAGE);
	CHECK_EQ(resident() - before, 4);
	struct shmid_ds ds = stat_of(id);
	CHECK_EQ(madvise(a + PAGE, 2 * PAGE, MADV_REMOVE), 0);
	CHECK_EQ(resident() - before, 2);
	CHECK(a[0] == 'x' && !a[PAGE] && !a[3 * PAGE - 1] && a[3 * PAGE] == 'x');
	CHECK(!b[PAGE] && !readable[2 * PAGE] && b[3 * PAGE] == 'x');
	b[PAGE] = 'y';
	CHECK_EQ(a[PAGE], 'y');
	/* Nobody came or went. */
	struct shmid_ds now = stat_of(id);
	CHECK(now.shm_nattch == 3 && now.shm_atime == ds.shm_atime && !now.shm_dtime);
	CHECK_ERR(madvise(readable, PAGE, MADV_REMOVE), EACCES);
	CHECK_EQ(readable[0], 'x');
	CHECK_EQ(mlock(a, PAGE), 0);
	CHECK_ERR(madvise(a, PAGE, MADV_REMOVE), EINVAL);
	CHECK_EQ(munlock(a, PAGE), 0);
	/* One that is removed already, by its last attachment. */
	CHECK_EQ(shmctl(id, IPC_RMID, NULL), 0);
	CHECK_EQ(shmdt(b) | shmdt(readable), 0);
	CHECK_EQ(madvise(a, 4 * PAGE, MADV_REMOVE), 0);
	CHECK(!a[0] && !a[3 * PAGE]);
}

static int attachments(const char *id)
{
	struct shmid_ds ds;

	return shmctl(atoi(id), IPC_STAT, &ds) ? 7 : (int)ds.shm_nattch;
}

static const struct tap_case cases[] = {
	CASE(is_shared_and_persists),
	CASE(keys_and_flags),
	CASE(attaching_addresses),
	CASE(read_only_stays_so),
	CASE(may_be_executed),
	CASE(counts_attachments),
	CASE(exec_detaches),
	CASE(removed_lives_until_last_detach),
	CASE(numbers_are_not_reused_at_once),
	CASE(control_and_information),
	CASE(permissions),
	CASE(shows_in_proc),
	CASE(no_memory_beyond_its_end),
	CASE(pages_can_be_taken_out),
};

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "--nattch"))
		return attachments(argv[2]);
	return tap_run(cases, sizeof cases / sizeof cases[0], argc, argv);
}

/* Whether KVM works here: asked once, by a guest. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/channel.h"
#include "host/kvm.h"
#include "host/outfile.h"
#include "host/vm.h"

#define PROBE_TIMEOUT_MS 3000

/* What the answer depends on, as a line; heap. */
static char *question(const struct install *install)
{
	struct utsname system;
	struct stat qemu, loader, bundle;

	if (uname(&system) < 0 || stat(install->qemu, &qemu) < 0 ||
	    stat(install->loader, &loader) < 0 || stat(install->bundle, &bundle) < 0)
		return NULL;
	return must_format("%s %s %lld.%lld %lld.%lld %lld.%lld", system.release,
			   system.version, (long long)qemu.st_mtime,
			   (long long)qemu.st_size, (long long)loader.st_mtime,
			   (long long)loader.st_size, (long long)bundle.st_mtime,
			   (long long)bundle.st_size);
}

/* The kept answer to the question; false if there is none. */
static bool answer_read(const char *path, const char *asked, bool *ret_works)
{
	size_t size, asked_size = strlen(asked);
	char *text;
	bool known;

	if (read_file(path, 4096, &text, &size) < 0)
		return false;
	known = size == asked_size + 3 && !memcmp(text, asked, asked_size) &&
		text[asked_size] == ' ';
	if (known)
		*ret_works = text[asked_size + 1] == 'y';
	free(text);
	return known;
}

/* Without a place to keep it, the question is asked again the next time. */
static void answer_write(const char *path, const char *asked, bool works)
{
	char *text = must_format("%s %c\n", asked, works ? 'y' : 'n');
	struct outfile file;

	if (outfile_open(AT_FDCWD, path, 0600, &file) == 0) {
		if (write_all(file.fd, text, strlen(text)) < 0)
			outfile_drop(&file);
		else if (outfile_commit(&file) < 0)
			say("cannot keep the answer about KVM in '%s'", path);
	}
	free(text);
}

/* Says HELLO and POWEROFF; true if READY comes back and the guest then ends by itself. */
static bool guest_answers(struct vm *vm)
{
	static struct channel channel;
	static const uint8_t seed[WIRE_SEED_SIZE];
	struct wire_msg msg = { .type = WIRE_HELLO,
				.hello = { WIRE_VERSION, 0, { seed, sizeof(seed) } } };
	uint64_t until = now_ns() + PROBE_TIMEOUT_MS * NSEC_PER_MSEC;
	bool ready = false;

	channel_init(&channel, vm->port);
	if (channel_send(&channel, &msg) < 0)
		return false;
	msg.type = WIRE_POWEROFF;
	if (channel_send(&channel, &msg) < 0)
		return false;
	for (uint64_t now; (now = now_ns()) < until;) {
		struct pollfd polls[2] = { { vm->pidfd, POLLIN, 0 },
					   { channel.ended ? -1 : vm->port, POLLIN, 0 } };

		channel_flush(&channel);
		if (poll(polls, 2, (until - now) / NSEC_PER_MSEC + 1) < 0 &&
		    errno != EINTR)
			return false;
		if (polls[1].revents)
			channel_receive(&channel);
		if (channel_next(&channel, &msg) > 0)
			ready |= msg.type == WIRE_READY;
		if (polls[0].revents && (channel.ended || !polls[1].revents))
			return ready;
	}
	return false;
}

static bool probe(const struct install *install)
{
	char *root = must_format("%s/base.img", install->roots);
	int fd = open(root, O_RDONLY | O_CLOEXEC);
	struct vm_config config = { .qemu = install->qemu,
				    .loader = install->loader,
				    .bundle = install->bundle,
				    .root = fd,
				    .cpus = 1,
				    .mem_mib = 128,
				    .kvm = true };
	struct vm vm;
	bool works = false;

	free(root);
	if (fd < 0)
		return false;
	if (vm_start(&config, &vm) == 0) {
		works = guest_answers(&vm);
		vm_end(&vm);
		vm_close(&vm);
	}
	close(fd);
	return works;
}

enum kvm_answer kvm_ask(const struct install *install, bool again, bool *ret_probed)
{
	const char *folder = cache_folder();
	char *asked, *path;
	bool works = false;

	*ret_probed = false;
	if (access("/dev/kvm", F_OK) < 0)
		return KVM_ABSENT;
	if (access("/dev/kvm", R_OK | W_OK) < 0)
		return KVM_FORBIDDEN;
	asked = question(install);
	if (!asked)
		return KVM_BROKEN;
	path = folder ? must_format("%s/kvm", folder) : NULL;
	if (again || !path || !answer_read(path, asked, &works)) {
		works = probe(install);
		*ret_probed = true;
		if (path)
			answer_write(path, asked, works);
	}
	free(path);
	free(asked);
	return works ? KVM_WORKS : KVM_BROKEN;
}

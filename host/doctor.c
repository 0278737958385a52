/* `mayfly doctor`: what this machine has, what it lacks, and what to do about it. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/args.h"
#include "host/install.h"
#include "host/kvm.h"
#include "host/tool.h"

enum verdict { FINE, WORSE, LACKING }; /* WORSE: Mayfly runs, but slower or with less */

static enum verdict tell(enum verdict verdict, const char *what, const char *advice)
{
	static const char *const words[] = { "ok", "note", "MISSING" };

	printf("%-8s%s%s%s\n", words[verdict], what, *advice ? ": " : "", advice);
	return verdict;
}

static enum verdict check_install(struct install *install)
{
	char *base;
	enum verdict verdict;

	if (install_find(install) < 0)
		return tell(LACKING, install->loader, "run 'make', or 'make install'");
	tell(FINE, "loader and kernel", install->loader);
	base = must_format("%s/base.img", install->roots);
	verdict = access(base, R_OK) == 0 ? tell(FINE, "root image", base)
					  : tell(LACKING, base, "run 'make'");
	free(base);
	return verdict;
}

static enum verdict check_qemu(const struct install *install)
{
	char *argv[] = { (char *)"qemu-system-x86_64", "-M", "help", NULL },
	     *output = NULL;
	enum verdict verdict;
	int status;

	if (!install->qemu)
		return tell(LACKING, "qemu-system-x86_64",
			    "install the package qemu-system-x86");
	status = tool_run(argv, "", 0, -1, &output);
	if (status == 0 && !strstr(output, "microvm"))
		verdict = tell(LACKING, install->qemu,
			       "it has no machine 'microvm'; 7.2 has");
	else
		verdict = tell(FINE, "QEMU", install->qemu);
	free(output);
	return verdict;
}

static enum verdict check_kvm(const struct install *install)
{
	bool probed;

	switch (kvm_ask(install, true, &probed)) {
	case KVM_WORKS:
		return tell(FINE, "KVM", "a guest ran to its end");
	case KVM_BROKEN:
		return tell(WORSE, "KVM",
			    "/dev/kvm is there, but a guest does not get to its end; "
			    "guests are emulated");
	case KVM_FORBIDDEN:
		return tell(WORSE, "KVM",
			    "/dev/kvm is not for you; join its group (kvm); guests "
			    "are emulated");
	default:
		return tell(WORSE, "KVM", "no /dev/kvm; guests are emulated");
	}
}

/* Needed to make root images only. */
static enum verdict check_builders(void)
{
	char *path = tool_find("mke2fs");
	enum verdict worst = FINE;

	if (path)
		tell(FINE, "mke2fs", path);
	else
		worst = tell(WORSE, "mke2fs",
			     "--root DIR and TAR need it; install e2fsprogs");
	free(path);
	if (dlopen("libarchive.so.13", RTLD_LAZY))
		tell(FINE, "libarchive", "");
	else
		worst = tell(WORSE, "libarchive",
			     "--root TAR needs it; install libarchive13");
	return worst;
}

static enum verdict check_cache(void)
{
	const char *folder = cache_folder();

	if (folder && access(folder, W_OK) == 0)
		return tell(FINE, "cache", folder);
	return tell(WORSE, "cache", "no folder to write to; set HOME or XDG_CACHE_HOME");
}

int command_doctor(const struct options *options)
{
	struct install install;
	bool lacking = check_install(&install) == LACKING;

	lacking |= check_qemu(&install) == LACKING;
	if (!lacking)
		check_kvm(&install);
	check_builders();
	check_cache();
	if (fflush(stdout))
		return MAYFLY_FAILED;
	return lacking ? MAYFLY_FAILED : 0;
}

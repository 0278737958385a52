#!/usr/bin/python3
"""What machine the kernel boots on: processors, memory, CPU models; and how it ends when
there is no root image, no process 1, or a bug. A VM of this test has no agent's port: the
agent finds none and ends, which shows that all before it worked."""
import re

from vm import EXIT, ROOT, boot, ends, finish, point, read, written

UP = "POWEROFF"


def boots(what, **machine):
    ends(f"boots {what}", boot(**machine), UP)


for cpus in 1, 2, 3, 4, 8, 16:
    boots(f"with {cpus} CPUs", cpus=cpus, mem="64")
for mem in "16", "24", "32", "128", "1G", "3G", "4G", "5G":
    boots(f"with {mem} of memory", mem=mem)
boots("with 16 CPUs in 32 MiB", cpus=16, mem="32")
for cpu in "qemu64", "Nehalem", "Haswell-noTSX", "max,-smap,-smep", "max,-xsave", \
        "max,-rdrand,-rdseed", "max,-fsgsbase,-umip", "max,la57=on", "max,-erms,-fsrm":
    boots(f"on -cpu {cpu}", cpu=cpu, cpus=2)

for mem in "4", "6", "8", "10", "12":
    vm = boot(mem=mem, root=ROOT)
    said = re.search(r"mayfly: (loader: refused|kernel panic)|memory", vm.log)
    point(f"with {mem} MiB it boots, or says what is missing",
          vm.status == EXIT[UP] or (vm.status in (EXIT["REFUSED"], EXIT["NOMEM"]) and said),
          f"exit status {vm.status}", vm.log)

ends("init=/absent ends it", boot(cmdline="init=/absent"), "ROOT",
     r"/absent.*process 1")
ends("init= of a directory ends it", boot(cmdline="init=/etc"), "ROOT", r"/etc.*process 1")
ends("init= of a text file ends it", boot(cmdline="init=/etc/passwd"), "ROOT",
     r"/etc/passwd.*process 1")
ends("an init that ends is told from an agent that reports",
     boot(cmdline="init=/bin/true"), "AGENT")

# -- root images ----------------------------------------------------------------------

image = read(ROOT)


def damaged(what, data, text="root image"):
    ends(f"refuses {what}", boot(root=written(data)), "ROOT", text)


ends("refuses to go on without a root disk", boot(root=None), "ROOT", "root image")
damaged("an empty root disk", b"")
damaged("a root disk of one sector", image[:512])
damaged("a root disk of zeros", bytes(len(image)))
damaged("a root disk cut in its superblock", image[:1536])
damaged("a root disk cut in half", image[:len(image) // 8192 * 4096])
damaged("a root disk without its last block", image[:-4096])
damaged("a superblock with another magic", image[:1024 + 56] + b"\0\0" + image[1024 + 58:])
damaged("a superblock with one bit changed",
        image[:1024] + bytes([image[1024] ^ 1]) + image[1025:])
damaged("group descriptors of zeros", image[:4096] + bytes(4096) + image[8192:])
damaged("text", b"not a file system\n" * 100000)
boots("from the untouched image", root=written(image))

# -- panic ----------------------------------------------------------------------------

first, second = boot(cmdline="panic=test"), boot(cmdline="panic=test")
ends("a bug of the kernel's ends the VM by its own status", first, "PANIC",
     "(?m)^mayfly: kernel panic: ")
point("it shows the registers", re.search(r"rip [0-9a-f]{16} rsp [0-9a-f]{16}", first.log),
      first.log)
point("it shows where, by file and line",
      re.search(r"init_panic_test[.\w]*\+[0-9a-fx]+ \(kernel/init/steps\.c:\d+\)", first.log) and
      re.search(r"boot_thread[.\w]*\+[0-9a-fx]+ \(kernel/init/main\.c:\d+\)", first.log), first.log)


def base(vm):
    return re.search(r"kernel at (0x[0-9a-f]+)", vm.log).group(1)


point("two boots place the kernel apart", base(first) != base(second), first.log)
ends("other values of panic= are not for it", boot(cmdline="panic=1"), UP)
finish()

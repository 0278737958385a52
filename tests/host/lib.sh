# For the scripts of this folder, to be sourced: a machine without a machine. Instead of QEMU a
# script runs the agent as an ordinary process on the port that QEMU would have got: no kernel,
# no emulation, so what is tested is the host command and the agent, in milliseconds.
. tests/tap.sh
. tests/host/expect.sh

build=$(cd "$BUILD" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export MAYFLY_ACCEL=tcg MAYFLY_LIB="$dir/lib" MAYFLY_QEMU="$dir/qemu" XDG_CACHE_HOME="$dir/cache" HOME="$dir"
mkdir -p "$dir/lib/root" "$dir/cache" "$dir/job"
: >"$dir/lib/loader.elf"
: >"$dir/lib/bundle.bin"
# Copies: the build folder may be where only root comes, below /root say.
cp "$build/root/base.img" "$dir/lib/root"
cp "$build/userland/agent" "$dir"

# qemu_is FILE: the script on stdin is what the command starts for QEMU.
qemu_is() {
	{
		echo '#!/bin/sh'
		cat
	} >"$1"
	chmod +x "$1"
}

qemu_is "$dir/qemu" <<END
for word; do
	case \$word in
	socket,*fd=*) fd=\${word##*fd=} ;;
	esac
done
exec "$dir/agent" "\$fd"
END

# run ARGS...: mayfly run in the scratch folder, which is also the job's.
run() {
	(cd "$dir/job" && exec timeout 60 "$MAYFLY" run --cwd "$dir/job" "$@")
}

#!/bin/sh
# tools/checkelf lets a right kernel image pass and names what is wrong with others.
. tests/tap.sh

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# image NAME SOURCE LDFLAGS...: a static PIE of one C source.
image() {
	name=$1 source=$2
	shift 2
	printf '%s\n' "$source" >"$dir/$name.c"
	gcc -O1 -fpie -ffreestanding -fno-stack-protector -c -o "$dir/$name.o" "$dir/$name.c" &&
		ld -pie --no-dynamic-linker -o "$dir/$name" "$dir/$name.o" "$@" 2>"$dir/said"
}

image good 'int v; int *p = &v; void _start(void) { for (;;) (*p)++; }'
check "an image with relative relocations passes" tools/checkelf "$dir/good"

image other 'static void a(void) {} static void *pick(void) { return a; }
	void b(void) __attribute__((ifunc("pick"))); void _start(void) { b(); }'
refuses "a relocation of another kind" "relocations that are not relative" tools/checkelf "$dir/other"

image open 'void gone(void); void _start(void) { gone(); }'
refuses "an undefined symbol" "undefined symbols: gone" tools/checkelf "$dir/open.o"

image rwx 'int v; int *p = &v; void _start(void) { for (;;) (*p)++; }' -N
refuses "a segment writable and executable" "writable and executable" \
	tools/checkelf "$dir/rwx"
finish

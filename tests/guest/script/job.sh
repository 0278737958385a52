# A working day of a shell script, for busybox's sh: its output must be the same everywhere.
# Arguments, environment and the clock are not printed; everything happens in one directory.
set -u
LC_ALL=C
export LC_ALL
base=$(mktemp -d)
trap 'rm -rf "$base"; echo "cleaned up"' EXIT
cd "$base" || exit 1

say() { printf '%s: %s\n' "$1" "$2"; }

# -- arithmetic and strings --
fib() {
	local a=0 b=1 n=$1 t
	while [ "$n" -gt 0 ]; do
		t=$((a + b)) a=$b b=$t n=$((n - 1))
	done
	echo $a
}
gcd() {
	[ "$2" -eq 0 ] && echo "$1" && return
	gcd "$2" $(($1 % $2))
}
say fib "$(fib 50)"
say gcd "$(gcd 1071 462)"
say shift "$((1 << 20 | 0xff)) $((~5)) $((-7 / 2)) $((-7 % 3))"
s=archive.tar.gz
say cut "${s%.gz} ${s%%.*} ${s#*.} ${s##*.} ${#s}"
say default "${undefined:-unset} ${undefined+set} ${s:+set}"
say replace "$(echo hello world | sed 's/o\(.\)/0<\1>/g; y/hw/HW/')"
say case "$(for w in apple 42 'two words' ''; do
	case $w in
	[0-9]*) printf number, ;;
	*' '*) printf spaces, ;;
	'') printf empty, ;;
	*) printf word, ;;
	esac
done)"

# -- here-documents and reading --
while IFS=: read -r name shell rest; do
	say "$name" "$shell ($rest)"
done <<'END'
root:/bin/sh:first user
daemon:/bin/false:a:b:c
END
count=3
cat <<END
a here-document with $count and $((count * 2))
	a tab stays
END
cat <<-END
	tabs go
	END

# -- files --
mkdir -p tree/a/b/c tree/d 'tree/with space'
i=0
while [ $i -lt 40 ]; do
	echo "line $i" > "tree/a/file-$i.txt"
	[ $((i % 3)) -eq 0 ] && echo "third $i" >> tree/d/thirds
	i=$((i + 1))
done
echo data > 'tree/with space/f'
ln -s ../a tree/d/link
ln tree/d/thirds tree/d/hard
say files "$(find tree -type f | wc -l)"
say links "$(find tree -type l -exec readlink {} \;)"
say hard "$(find tree -links 2 -type f | sort | tr '\n' ' ')"
say newest "$(ls tree/a | sort -t- -k2 -n | tail -n 1)"
say names "$(find tree -name '*-1?.txt' | sort | head -n 3 | tr '\n' ' ')"
find tree -name '*7*' -print0 | xargs -0 -n 1 basename | sort
chmod 640 tree/d/thirds
say mode "$(stat -c '%a %s %F' tree/d/thirds)"
say du "$(find tree -type d | sort | tr '\n' ' ')"

# -- text --
seq 1 200 | awk '{ s += $1; if ($1 % 50 == 0) print NR, s } END { print "sum", s }'
seq 1 1000 | sed -n '990,$p' | tac | paste -s -d, -
printf '%s\n' pear apple fig apple pear apple | sort | uniq -c | sort -rn
printf 'b 2\na 1\nc 3\n' > left
printf 'a x\nb y\nd z\n' > right
sort left | awk 'NR == FNR { m[$1] = $2; next } $1 in m { print $1, m[$1], $2 }' - right
seq 1 20 | tr '\n' ' ' | fold -w 17
echo
printf 'alpha,beta,gamma\n1,2,3\n' | cut -d, -f1,3
echo "The quick brown fox" | tr 'a-z' 'A-Z' | rev
grep -rl 'third 3' tree | sort
grep -c third tree/d/thirds
diff left right
seq 1 30 | head -c 40 | od -An -c | head -n 2
seq 1 5000 | md5sum
seq 1 5000 | sha256sum | cut -c1-16
expr 6 \* 7

# -- pipelines and status --
false | true
say pipestatus $?
! grep -q nothing tree/d/thirds
say negated $?
(exit 7)
say subshell $?
sh -c 'kill -TERM $$'
say killed $?
if cd /nonexistent 2>/dev/null; then say cd yes; else say cd no; fi
out=$({ echo to-out; echo to-err >&2; } 2>&1)
say both "$(echo $out)"
{ echo one; echo two; } > grouped
exec 3< grouped
read -r first <&3
read -r second <&3
exec 3<&-
say fds "$first $second"
say procsub "$(seq 3 | while read -r n; do printf '%s-' "$n"; done)"

# -- jobs --
work() {
	sleep 0.$1
	echo "$1" > "done-$1"
	return "$1"
}
for n in 3 1 2; do
	work $n &
	eval "job$n=$!"
done
for n in 1 2 3; do
	eval "wait \$job$n"
	say "job $n" $?
done
say done "$(cat done-1 done-2 done-3 | tr '\n' ' ')"
mkfifo pipe
seq 1 10 > pipe &
say fifo "$(awk '{ s += $1 } END { print s }' < pipe)"
wait
yes | head -n 100000 | wc -l
(trap 'echo caught USR1' USR1; kill -USR1 $(sh -c 'echo $PPID'); echo after)
sleep 100 &
kill $!
wait $! 2>/dev/null
say "killed sleep" $?
n=0
until [ $n -ge 5 ]; do
	n=$((n + 1))
	[ $n -eq 2 ] && continue
	[ $n -eq 4 ] && break
	printf '%s ' $n
done
echo

# -- archives --
tar cf all.tar tree
tar tf all.tar | wc -l
mkdir out
tar xf all.tar -C out
diff -r tree out/tree && echo "unpacked the same"
gzip -9 < all.tar > all.tar.gz
gunzip -c all.tar.gz | cmp - all.tar && echo "unzipped the same"
find tree -type f | sort | cpio -o -H newc 2>/dev/null > all.cpio
mkdir cpio && (cd cpio && cpio -id 2>/dev/null < ../all.cpio)
find cpio -type f | wc -l
dd if=all.tar of=part bs=512 skip=1 count=2 2>/dev/null
wc -c < part
rm -r tree
[ ! -e tree ] && echo "tree is gone"
exit 5

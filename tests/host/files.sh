#!/bin/sh
# --file, --out, and programs that travel.
. tests/host/lib.sh

mkdir -p "$dir/here/tree/sub"
echo one >"$dir/here/tree/one"
echo two >"$dir/here/tree/sub/two"
ln -s sub/two "$dir/here/tree/link"
chmod 640 "$dir/here/tree/one"
touch -d '2001-02-03 04:05:06' "$dir/here/tree/one"
head -c 3000000 /dev/urandom >"$dir/here/big"
printf '#!/bin/sh\necho "$0" "$@"\n' >"$dir/here/script"
chmod +x "$dir/here/script"

# from_here ARGS...: mayfly run in the folder with the files, the job in another.
from_here() {
	(cd "$dir/here" && exec timeout 60 "$MAYFLY" run --cwd "$dir/job" "$@")
}

check "a file arrives in the job's folder" prints one from_here --file tree/one -- cat one
check "under another name, in a new folder" prints one from_here --file tree/one:a/b/c -- cat a/b/c
check "with mode and date" prints "640 981173106" \
	env TZ=UTC sh -c "cd '$dir/here' && '$MAYFLY' run --cwd '$dir/job' --file tree/one:dated -- stat -c '%a %Y' dated"
check "a tree arrives" prints "one
two
two" from_here --file tree:tree -- sh -c 'cat tree/one tree/sub/two tree/link'
check "its link is a link" prints sub/two from_here --file tree:tree2 -- readlink tree2/link
check "3 MB arrive and come back" from_here --file big:big.in --out big.in:big.out -- true
check "the same" cmp "$dir/here/big" "$dir/here/big.out"
check "a file that is not there" says 125 "cannot send 'nosuch'" from_here --file nosuch -- true
check "a device does not travel" says 125 "/dev/null" from_here --file /dev/null:x -- true

check "a program travels" prints "./script a b" from_here -- ./script a b
check "from further up by its name" prints "./script" sh -c \
	"mkdir -p '$dir/here/deep' && cd '$dir/here/deep' && '$MAYFLY' run --cwd '$dir/job' -- ../script"
check "an absolute one keeps its path" prints "$dir/here/script x" from_here -- "$dir/here/script" x

check "--out brings a file" from_here --out one.out -- sh -c 'echo brought >one.out'
check "the very bytes" [ "$(cat "$dir/here/one.out")" = brought ]
check "--out replaces" from_here --out one.out -- sh -c 'echo again >one.out'
check "the new bytes" [ "$(cat "$dir/here/one.out")" = again ]
check "--out into a folder" from_here --out one.out:tree -- true
check "under its name" [ "$(cat "$dir/here/tree/one.out")" = again ]
check "--out brings a tree" from_here --out t:t.out -- sh -c \
	'mkdir -p t/s/r && echo x >t/s/x && echo y >t/s/r/y && ln -s s/x t/l && chmod 700 t/s'
check "whole" [ "$(cd "$dir/here/t.out" && find . | sort | tr '\n' ' ')" = ". ./l ./s ./s/r ./s/r/y ./s/x " ]
check "an empty folder comes too" from_here --out e:e.out -- mkdir e
check "empty" [ -d "$dir/here/e.out" ]
check "a job that fails still brings its files" status 9 from_here --out f -- sh -c 'echo f >f; exit 9'
check "the file" [ "$(cat "$dir/here/f")" = f ]
check "what the job did not leave" says 125 "No such file" from_here --out nosuch -- true
check "a place that cannot be written" says 125 "/no/such" from_here --out one.out:/no/such/x -- true
check "a full disk" says 125 "No space left" from_here --out one.out:/dev/full -- true
check "more than --max-output" says 153 "--max-output" from_here --max-output 1000 --out big.in:q -- true
check "leaves no part of it" [ ! -e "$dir/here/q" ]

from_here --out bad:bad.out -- sh -c \
	'mkdir bad && ln -s /etc/passwd bad/a && ln -s ../../x bad/b && mkfifo bad/c && echo ok >bad/d' 2>"$dir/stderr"
check "links that lead outside are left out" [ "$(ls "$dir/here/bad.out")" = d ]
check "and it says so" grep -q "left out 3" "$dir/stderr"
finish

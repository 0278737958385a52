# What a command must do, for tests/tap.sh's `check`; to be sourced. $dir is a scratch folder.

# status N COMMAND...: whether it exits with that status.
status() {
	want=$1
	shift
	"$@" && got=0 || got=$?
	[ "$got" = "$want" ] || {
		echo "status $got, not $want"
		return 1
	}
}

# prints TEXT COMMAND...: whether its stdout is that text.
prints() {
	want=$1
	shift
	got=$("$@")
	[ "$got" = "$want" ] || {
		echo "printed: $got"
		return 1
	}
}

# says N TEXT COMMAND...: status N, and one line of Mayfly's on stderr, which holds the text.
says() {
	want=$1 text=$2
	shift 2
	"$@" >/dev/null 2>"$dir/stderr" && got=0 || got=$?
	if [ "$got" != "$want" ] || [ "$(grep -c '^mayfly: ' "$dir/stderr")" != 1 ] ||
		! grep '^mayfly: ' "$dir/stderr" | grep -qF -- "$text"; then
		echo "status $got; stderr:"
		tail "$dir/stderr"
		return 1
	fi
}

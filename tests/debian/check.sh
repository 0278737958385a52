# What the shell tests of this folder share; tests.txt sends it to /job/check.sh. It makes a
# folder of its own, goes there, and numbers the points. The last line of a test is `finish`.
set -u
top=$(mktemp -d)
chmod 755 "$top"
cd "$top" || exit 1
export HOME=$top LC_ALL=C
points=0

# check WHAT COMMAND...: a point that holds when the command succeeds.
check() {
	local what=$1 said
	shift
	points=$((points + 1))
	if said=$("$@" 2>&1); then
		echo "ok $points - $what"
	else
		echo "not ok $points - $what"
		printf '%s\n' "$said" | tail -n 12 | sed 's/^/# /'
	fi
}

# gives TEXT COMMAND...: whether that is what it prints.
gives() {
	local want=$1 got
	shift
	got=$("$@") || return 1
	[ "$got" = "$want" ] || { echo "gave: $got"; return 1; }
}

# says TEXT... -- COMMAND...: whether each text is in what it prints, in this order.
says() {
	local got wants=() rest
	while [ "$1" != -- ]; do wants+=("$1"); shift; done
	shift
	got=$("$@" 2>&1)
	rest=$got
	for want in "${wants[@]}"; do
		case $rest in
		*"$want"*) rest=${rest#*"$want"} ;;
		*) printf 'no "%s" in:\n%s\n' "$want" "$got"; return 1 ;;
		esac
	done
}

finish() {
	echo "1..$points"
	cd / && rm -rf "$top"
}

# For the shell scripts of the test suites, to be sourced: points in TAP.
#
#   check "what holds" COMMAND...      ok when the command succeeds
#   refuses "what is refused" TEXT COMMAND...
#                                      ok when it fails and its output holds TEXT
#   finish                             prints the plan; call it last

points=0

point() {
	points=$((points + 1))
	echo "$1 $points - $2"
}

check() {
	what=$1
	shift
	if said=$("$@" 2>&1); then
		point ok "$what"
	else
		point "not ok" "$what"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

refuses() {
	what=$1 text=$2
	shift 2
	if said=$("$@" 2>&1); then
		point "not ok" "$what"
		echo "# succeeded"
	elif printf '%s' "$said" | grep -qF -- "$text"; then
		point ok "$what"
	else
		point "not ok" "$what"
		printf 'does not say: %s\n%s\n' "$text" "$said" | sed 's/^/# /'
	fi
}

finish() {
	echo "1..$points"
}

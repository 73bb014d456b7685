#!/bin/sh
# tree.sh LINKS.LIST ACTORS.A CORE.A: every check of lint.sh over this tree, as TAP. The libraries may be missing ("-") as long as
# they do not exist.
links=$1 actors=$2 core=$3
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -f "$actors" ]; then
	nm -u "$actors" | awk 'NF == 2 && $1 == "U" { print $2 }' | sort -u >"$work/needed"
	nm --defined-only "$actors" "$core" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$work/defined"
	comm -23 "$work/needed" "$work/defined" >"$work/undefined.list"
fi

echo "1..$("$here/lint.sh" --list | wc -l)"
"$here/lint.sh" --list | {
	n=0
	while read -r check sentence; do
		n=$((n + 1))
		case $check in
		links) input=$links ;;
		symbols) input=$work/undefined.list ;;
		*) input= ;;
		esac
		if [ "$check" = symbols ] && [ ! -f "$input" ]; then
			echo "ok $n - $check: $sentence # SKIP no compiled actors"
		elif found=$("$here/lint.sh" "$check" . $input); then
			echo "ok $n - $check: $sentence"
		else
			echo "not ok $n - $check: $sentence"
			printf '%s\n' "$found" | sed 's/^/# /'
		fi
	done
}

#!/bin/sh
# tidy.sh BUILD-DIR: TAP, one result for each C file of the compilation database: clang-tidy 14, which also gives clang's own
# warnings, as errors. A file that was clean is not read again until it, a header of the tree that it includes, its compile
# command or the rules change: BUILD-DIR/tidy holds a stamp for each such state. A file that was not compiled yet has no known state.
set -u
build=$1
stamps=$build/tidy
mkdir -p "$stamps"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The files, with the objects they make, in the order of the database.
awk -v top="$PWD/" '
	/"command":/ { command = $0 }
	/"file":/ { file = $0; sub(/.*"file": "/, "", file); sub(/",?$/, "", file); sub(top, "", file); print file "\t" command }
' "$build/compile_commands.json" | sort -u -k 1,1 | grep -v "^build/" >"$work/files"

# One state for each: the hash of command, rules and every file of the tree that the compiler read for it.
ninja -C "$build" -t deps 2>/dev/null | awk -v top="$PWD/" '
	/^[^ ]/ { source = "" }
	/^ / { sub(/^ +/, ""); if (index($0, top) == 1) { name = substr($0, length(top) + 1); if (source == "") source = name; print source "\t" name } }
' | sort -u >"$work/deps"
cut -f 2 "$work/deps" | sort -u | tr '\n' '\0' | xargs -0 -r sha256sum 2>/dev/null >"$work/sums"
rules=$(cat .clang-tidy tests/.clang-tidy 2>/dev/null | sha256sum)
awk -F '\t' -v rules="$rules" -v sums="$work/sums" '
	BEGIN { while ((getline line < sums) > 0) sum[substr(line, 67)] = substr(line, 1, 64) }
	FILENAME ~ /deps$/ { known[$1] = known[$1] " " $2 "=" sum[$2]; next }
	{ print $1 "\t" ($1 in known ? rules " " $2 known[$1] : "-") }
' "$work/deps" "$work/files" >"$work/states"

n=0
while IFS='	' read -r file state; do
	n=$((n + 1))
	stamp=/dev/null
	[ "$state" = - ] || stamp=$stamps/$(printf '%s' "$state" | sha256sum | cut -c 1-40)
	[ -f "$stamp" ] || printf '%s\t%s\t%s\n' "$n" "$file" "$stamp"
done <"$work/states" >"$work/stale"

# shellcheck disable=SC2016  # expanded by the inner shell
tr '\n' '\0' <"$work/stale" | xargs -0 -r -P "$(nproc)" -n 1 sh -c '
	n=${3%%	*} rest=${3#*	}
	file=${rest%%	*} stamp=${rest#*	}
	if clang-tidy-14 --quiet -p "$1" "$file" >"$2/$n.out" 2>"$2/$n.err"; then
		: >"$stamp"
	else
		: >"$2/$n.bad"
	fi' sh "$build" "$work"

echo "1..$(wc -l <"$work/files")"
n=0
while IFS='	' read -r file state; do
	n=$((n + 1))
	if [ -f "$work/$n.bad" ]; then
		echo "not ok $n - $file"
		grep -E 'error:|warning:' "$work/$n.out" | sed "s|^$PWD/||; s/^/# /" | head -n 20
	else
		echo "ok $n - $file"
	fi
done <"$work/states"

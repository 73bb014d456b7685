#!/bin/sh
# clang.sh BUILD-DIR: TAP, one result for each C file of a build: clang 14 takes it too, with the build's own flags and warnings as
# errors. It reads and judges the whole file and writes no object; gcc makes those.
set -u
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -f "$build/compile_commands.json" ]; then
	echo "1..1"
	echo "not ok 1 - $build was not configured"
	exit 1
fi

# Each file with what the compiler was told, without the compiler itself (and a launcher in front of it), the object and the like.
awk -v top="$PWD/" '
	/"command":/ {
		n = split($0, word, " ")
		flags = ""
		for (i = 1; i <= n && word[i] !~ /^-/; i++)
			;
		for (; i <= n; i++) {
			if (word[i] == "-o" || word[i] == "-c")
				i++
			else
				flags = flags " " word[i]
		}
		sub(/",?$/, "", flags)
		gsub(/\\\\/, "\001", flags) # JSON: \\ and \"
		gsub(/\\"/, "\"", flags)
		gsub(/\001/, "\\\\", flags)
	}
	/"file":/ {
		file = $0
		sub(/.*"file": "/, "", file)
		sub(/",?$/, "", file)
		sub(top, "", file)
		print file "\t" flags
	}
' "$build/compile_commands.json" | sort -u -k 1,1 >"$work/files"

n=0
while IFS='	' read -r file flags; do
	n=$((n + 1))
	printf '%s\t%s\t%s\n' "$n" "$file" "$flags"
done <"$work/files" | tr '\n' '\0' >"$work/jobs"

# shellcheck disable=SC2016  # expanded by the inner shell
xargs -0 -r -P "$(nproc)" -n 1 sh -c '
	n=${2%%	*} rest=${2#*	}
	eval "clang-14 -fsyntax-only ${rest#*	} ${rest%%	*}" >"$1/$n.out" 2>&1 || : >"$1/$n.bad"' sh "$work" <"$work/jobs"

total=$(wc -l <"$work/files")
echo "1..$total"
n=0
while IFS='	' read -r file flags; do
	n=$((n + 1))
	if [ -f "$work/$n.bad" ]; then
		echo "not ok $n - clang: $file"
		sed "s|^$PWD/||; s/^/# /" "$work/$n.out" | head -n 20
	else
		echo "ok $n - clang: $file"
	fi
done <"$work/files"

#!/bin/sh
# format.sh: TAP, one result: every C file is as clang-format 14 would write it.
echo 1..1
if said=$(git ls-files -z --cached --others --exclude-standard '*.c' '*.h' |
	xargs -0 -r -P "$(nproc)" -n 32 clang-format-14 --style=file --dry-run 2>&1 |
	awk -F : '/code should be clang-formatted/ { print $1 }' | sort -u) && [ -z "$said" ]; then
	echo "ok 1 - clang-format: nothing to change"
else
	echo "not ok 1 - clang-format: ./run format would change these"
	printf '%s\n' "$said" | sed 's/^/# /'
fi

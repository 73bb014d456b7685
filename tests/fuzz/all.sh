#!/bin/sh
# all.sh SECONDS [NAME...]: every fuzz target (or those named) for so many seconds, behind all kept inputs; TAP. Builds what is missing.
# A target that fails leaves its input in build/fuzz/found; once fixed it goes to tests/fuzz/seeds/NAME and is tried for ever after.
set -u
seconds=${1:?all.sh SECONDS [NAME...]}
shift
cd "$(dirname "$0")/../.." || exit 1
build=${FUZZ_BUILD:-build/fuzz}
log=$build.log

mkdir -p "$(dirname "$build")"
if ! { cmake --preset fuzz -B "$build" -DDIALER_BIN_DIR="$(realpath -m "$build")/bin" && ninja -C "$build" -j "$(nproc)" fuzzers; } >"$log" 2>&1; then
	echo "1..1"
	echo "not ok 1 - the fuzzers can be built"
	grep -m 20 -E 'error|FAILED' "$log" | sed 's/^/# /'
	exit 1
fi

[ $# -gt 0 ] || set -- $(ls tests/fuzz | sed -n 's/^fuzz_\([a-z]*\)\.c$/\1/p')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=$build/found
mkdir -p "$found"
"$build/bin/fuzz-seeds" "$work" tests/ari-sim/transcripts/*.jsonl tests/fuzz/seeds/*.hex || exit 1
sort -u "$work/words.dict" tests/fuzz/words.dict >"$work/all.dict"

# one NAME: writes NAME.log and NAME.rc.
one() {
	mkdir -p "$work/$1" "$work/grown-$1"
	kept=tests/fuzz/seeds/$1
	[ -d "$kept" ] || kept=
	# New inputs go to the first folder; the others are read only.
	# shellcheck disable=SC2086  # kept may be nothing
	timeout $((seconds + 120)) "$build/bin/fuzz_$1" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
		-dict="$work/all.dict" -artifact_prefix="$found/$1-" -print_final_stats=1 "$work/grown-$1" "$work/$1" $kept \
		>"$work/$1.log" 2>&1
	echo $? >"$work/$1.rc"
}

# Two at a time, or as many as there are processors.
echo "1..$#"
n=0
running=0
for name in "$@"; do
	one "$name" &
	running=$((running + 1))
	if [ $running -ge "$(nproc)" ]; then
		wait
		running=0
	fi
done
wait
failed=0
for name in "$@"; do
	n=$((n + 1))
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name.log")
	cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/$name.log" | tail -n 1)
	kept=$(find "tests/fuzz/seeds/$name" "$work/$name" -type f 2>/dev/null | wc -l)
	if [ "$(cat "$work/$name.rc")" = 0 ]; then
		echo "ok $n - fuzz_$name: ${runs:-0} inputs in $seconds s, $kept seeds, coverage ${cover:-0}, 0 findings"
	else
		echo "not ok $n - fuzz_$name: a finding (input in $found)"
		grep -a -v '^#[0-9]' "$work/$name.log" | tail -n 40 | sed 's/^/# /'
		failed=1
	fi
done
# FUZZ_KEEP=1: the short inputs that reach something are kept, as few as do. What the message list makes is not.
if [ -n "${FUZZ_KEEP:-}" ] && [ $failed = 0 ]; then
	for name in "$@"; do
		[ "$name" != msgpack ] || continue
		rm -rf "$work/merged"
		mkdir -p "$work/merged"
		"$build/bin/fuzz_$name" -merge=1 "$work/merged" "$work/$name" "$work/grown-$name" >/dev/null 2>&1
		find "$work/merged" -type f -size -257c -exec sh -c 'for f; do od -An -v -tx1 "$f" | tr -d " \n"; echo; done' sh {} + |
			awk '{ print length($0) "\t" $0 }' | sort -n | cut -f 2 | head -n 250 >"tests/fuzz/seeds/$name.hex"
	done
fi
exit $failed

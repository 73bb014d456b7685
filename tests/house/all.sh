#!/bin/sh
# all.sh [NAME]: what `./run test` does once the packages are there. NAME is a suite (core, store, lint, ...), a test, or `build`.
#
# Everything is compiled by gcc with its warnings as errors: the programs as released, everything under ASan and UBSan, the
# runtime's tests under TSan. Clang reads what is released with the same flags (style-clang), and clang-tidy every file.
# Each test prints TAP (tap.sh keeps it); report.awk counts. The last line is "N passed, N failed[, N skipped]".
set -u
cd "$(dirname "$0")/../.." || exit 1
name=${1:-}
out=build/test
jobs=$(nproc)
rm -rf "$out"
mkdir -p "$out"
: >"$out/results"

say() {
	printf 'test: %s\n' "$*" >&2
}

# One result that is not a TAP file: suite, passed (1 or 0), milliseconds, what.
result() {
	printf '%s %s %s %s\n' "$1" "$2" "$3" "$4" >>"$out/results"
}

now_ms() {
	echo $(($(date +%s%N) / 1000000))
}

# compile PRESET TARGET: a step of the suite `build`.
compile() {
	begun=$(now_ms)
	log=$out/build-$1.log
	# shellcheck disable=SC2086  # TARGET may be several words
	if { cmake --preset "$1" && ${yielding:-} cmake --build --preset "$1" -j "$jobs" --target $2 -- --quiet -k 0; } >"$log" 2>&1; then
		result build 1 $(($(now_ms) - begun)) "preset $1, target $2"
	else
		# What could be built is tested all the same; a test that was not counts as one that did not start.
		grep -n -m 20 -E 'error|FAILED|undefined' "$log" >&2 || tail -n 20 "$log" >&2
		result build 0 $(($(now_ms) - begun)) "preset $1, target $2 (all of it in $log)"
	fi
}

# suites PRESET [CTEST ARGUMENTS]: runs the preset's tests, TAP into $out/PRESET.
suites() {
	preset=$1
	shift
	mkdir -p "$out/$preset"
	[ -f "build/$preset/tests.list" ] || return
	cp "build/$preset/tests.list" "$out/$preset.list"
	say "running the tests of $preset"
	# Four: the places of the two lanes (tests/cmake/dialer.cmake says what runs in which).
	TAP_DIR=$PWD/$out/$preset ctest --test-dir "build/$preset" -j 4 --resource-spec-file "$PWD/tests/house/lanes.json" "$@" \
		>"$out/ctest-$preset.log" 2>&1
}

# keep FIELD: only the lines of both lists whose field FIELD (1 suite, 2 test) is the name asked for.
keep() {
	for list in "$out"/asan.list "$out"/tsan.list; do
		[ ! -f "$list" ] || awk -v f="$1" -v n="$name" '$f == n' "$list" >"$list.new"
		[ ! -f "$list.new" ] || mv "$list.new" "$list"
	done
}

export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0"
export UBSAN_OPTIONS="print_stacktrace=1"
export TSAN_OPTIONS="halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/house/tsan.supp"

if [ -z "$name" ]; then
	compile release all
	compile asan 'all tests'
	# The test `fuzz` builds what it needs. Compiling yields to what waits for real time, as busy tests do.
	(yielding='nice -n 19' && compile tsan tests) &
	suites asan
	wait
	suites tsan
elif [ "$name" = build ]; then
	compile release all
	compile asan 'all tests'
	compile fuzz fuzzers
	compile tsan tests
else
	for preset in asan tsan; do
		cmake --preset "$preset" >"$out/configure-$preset.log" 2>&1 || {
			cat "$out/configure-$preset.log" >&2
			exit 1
		}
	done
	if grep -q "^$name " build/asan/tests.list; then
		target=suite-$name field=1
		set -- -L "^$name\$"
	elif grep -q "^[^ ]* $name " build/asan/tests.list; then
		target=$name field=2
		set -- -R "^$name\$"
	else
		say "no suite or test '$name'. Suites: build $(cut -d' ' -f1 build/asan/tests.list | sort -u | tr '\n' ' ')"
		exit 2
	fi
	# A script has no target of its own.
	grep -qx "$target: phony" <<-END || target=tests
		$(ninja -C build/asan -t targets all 2>/dev/null | grep "^$target: ")
	END
	case $name in
	install | attack* | bench | style | style-clang) compile release all ;; # they look at what is shipped
	esac
	compile asan "$target"
	suites asan "$@"
	if awk -v f="$field" -v n="$name" '$f == n { found = 1 } END { exit !found }' build/tsan/tests.list; then
		compile tsan "$target"
		suites tsan "$@"
	fi
	keep "$field"
fi

awk -v out="$out" -f tests/house/report.awk

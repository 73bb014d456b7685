#!/bin/sh
# report_test.sh: TAP. What `./run test` counts as a failure: each case is a directory of results as all.sh leaves them.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

fresh() {
	rm -rf "$work/out"
	mkdir -p "$work/out/asan" "$work/out/tsan"
	echo "build 1 1000 preset release" >"$work/out/results"
}

# leave NAME STATUS: one test's output, from standard input, and its exit status; no status: it was ended from outside.
leave() {
	echo "core $1 60" >>"$work/out/asan.list"
	cat >"$work/out/asan/$1.tap"
	: >"$work/out/asan/$1.err"
	[ -z "$2" ] || echo "$2 1500" >"$work/out/asan/$1.rc"
}

# expect STATUS LAST-LINE TEXT
expect() {
	said=$(awk -v out="$work/out" -f "$here/report.awk")
	status=$?
	last=$(printf '%s\n' "$said" | tail -n 1)
	n=$((n + 1))
	if [ "$status" = "$1" ] && [ "$last" = "$2" ]; then
		echo "ok $n - $3"
	else
		echo "not ok $n - $3"
		echo "# exit status $status, last line: $last"
	fi
}

fresh
leave a 0 <<'END'
1..2
ok 1 - one
ok 2 - two
END
expect 0 '3 passed, 0 failed' 'everything passes'

fresh
leave a 1 <<'END'
1..3
ok 1 - one
not ok 2 - two
# 0x1 != 0x2
not ok 3 # SKIP three
END
expect 1 '2 passed, 1 failed, 1 skipped' 'a failed result, and a skipped one as cmocka prints it'

fresh
leave a 139 <<'END'
1..3
ok 1 - one
END
expect 1 '2 passed, 1 failed' 'a crash in the middle'

fresh
leave a 139 </dev/null
expect 1 '1 passed, 1 failed' 'a crash before the plan'

fresh
leave a 0 <<'END'
nothing to see
END
expect 1 '1 passed, 1 failed' 'no plan although the exit status is 0'

fresh
leave a 1 <<'END'
1..1
ok 1 - one
END
expect 1 '2 passed, 1 failed' 'a leak after the last result: exit status 1, no failed result'

fresh
leave a '' <<'END'
1..2
ok 1 - one
END
expect 1 '1 passed, 1 failed' 'ended by its time limit'

fresh
echo "core ghost 60" >"$work/out/asan.list"
expect 1 '1 passed, 1 failed' 'a test that never started'

fresh
leave a 0 <<'END'
1..1
ok 1 - group one
1..1
ok 1 - group two
END
expect 0 '3 passed, 0 failed' 'two groups of cmocka in one program'

fresh
leave a 77 </dev/null
expect 0 '1 passed, 0 failed, 1 skipped' 'a test that cannot run here says so with status 77'

fresh
leave a 77 <<'END'
1..0 # SKIP no browser
END
expect 0 '1 passed, 0 failed, 1 skipped' 'the same with a plan of none'

fresh
echo "build 0 1000 preset asan" >>"$work/out/results"
expect 1 '1 passed, 1 failed' 'a build that fails'

rm -rf "$work/out"
mkdir -p "$work/out"
: >"$work/out/results"
expect 1 '0 passed, 0 failed' 'no test at all is no success'

for words in '' 'nonsense' 'build --preset nonsense' 'build more' 'soak' 'soak soon'; do
	# shellcheck disable=SC2086  # words on purpose
	"$here/../../run" $words >/dev/null 2>&1
	status=$?
	n=$((n + 1))
	if [ "$status" -eq 2 ]; then echo "ok $n - usage: ./run $words"; else echo "not ok $n - usage: ./run $words ($status)"; fi
done

echo "1..$n"

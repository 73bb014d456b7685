#!/bin/sh
# tap.sh NAME COMMAND...: runs a test that prints TAP. With TAP_DIR set, its output is kept there as NAME.tap and NAME.err, and
# NAME.rc gets its exit status; without, it goes to the terminal. NAME.rc missing afterwards means that it was ended from outside.
name=$1
shift
if [ -z "${TAP_DIR:-}" ]; then
	exec "$@"
fi
rm -f "$TAP_DIR/$name.rc"
start=$(date +%s%N)
"$@" >"$TAP_DIR/$name.tap" 2>"$TAP_DIR/$name.err" </dev/null
rc=$?
end=$(date +%s%N)
echo "$rc $(((end - start) / 1000000))" >"$TAP_DIR/$name.rc"
exit $rc

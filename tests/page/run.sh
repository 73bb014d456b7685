#!/bin/sh
# run.sh source|browser|demo|attack, or run.sh NAME FOLDER: the page's tests, or tests/FOLDER/NAME.mjs beside their helpers. Installs the page's locked packages once (build/page), from npm's own cache if it can.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
page=$top/adapters/web/page
modules=$top/build/page

skip() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 77
}

command -v node >/dev/null 2>&1 || skip "node is not installed"
if [ "$1" != source ]; then
	CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
	[ -n "$CHROMIUM" ] || skip "chromium is not installed"
	export CHROMIUM
fi

# Copies below the packages, for each of these tests its own: nothing is ever installed into the tree, and two may run at once.
mkdir -p "$modules"
exec 9>"$modules/lock"
flock 9
if ! cmp -s "$page/package-lock.json" "$modules/installed.json"; then
	command -v npm >/dev/null 2>&1 || skip "npm is not installed"
	cp "$page/package.json" "$page/package-lock.json" "$modules/"
	if ! (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --omit-lockfile-registry-resolved) \
		>"$modules/npm.log" 2>&1; then
		cat "$modules/npm.log" >&2
		printf '1..1\nnot ok 1 - npm ci (%s)\n' "$modules/npm.log"
		exit 1
	fi
	cp "$page/package-lock.json" "$modules/installed.json"
fi
exec 9>&-
copy=$modules/$1
rm -rf "$copy"
mkdir -p "$copy/page"
cp -R "$page/src" "$page/dist" "$page/build.mjs" "$page/package.json" "$page/tsconfig.json" "$copy/page/"
cp "$here"/*.mjs "$page/../PROTOCOL.md" "$copy/"
[ -z "${2:-}" ] || cp "$top/tests/$2"/*.mjs "$copy/"
cd "$copy"
exec node "$1.mjs"

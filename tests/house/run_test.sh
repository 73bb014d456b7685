#!/bin/sh
# run_test.sh: TAP. What `./run` says on machines that lack packages: a copy of it in an empty folder, with a PATH of our own in
# which dpkg-query knows most packages but not all, and apt-get, sudo and id are plays that write down what they were asked.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

# machine LACKING...: those packages are not installed. As root, without sudo, until changed.
machine() {
	rm -rf "$work/bin" "$work/tree" "$work/asked"
	mkdir -p "$work/bin" "$work/tree"
	: >"$work/asked"
	cp "$top/run" "$work/tree/run"
	for tool in sh dirname mkdir tail env cat; do
		ln -s "$(command -v $tool)" "$work/bin/$tool"
	done
	play dpkg-query "case \" $* \" in *\" \$4 \"*) exit 1 ;; *) echo 'ii ' ;; esac"
	play apt-get "echo \"apt-get \$*\" >>\"$work/asked\"; echo 'E: no network'; exit 100"
	play id 'echo 0'
}

play() { # NAME SCRIPT
	printf '#!/bin/sh\n%s\n' "$2" >"$work/bin/$1"
	chmod +x "$work/bin/$1"
}

# expect TEXT ASKED WHAT ARGUMENTS...: status 1, TEXT among its words, ASKED the last thing that was asked of apt-get ("" nothing).
expect() {
	text=$1 asked=$2 what=$3
	shift 3
	said=$(PATH="$work/bin" "$work/tree/run" "$@" 2>&1 </dev/null)
	status=$?
	n=$((n + 1))
	if [ $status -eq 1 ] && [ "$(tail -n 1 "$work/asked")" = "$asked" ] && printf '%s\n' "$said" | grep -qF -- "$text"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		printf '%s\n' "exit status $status; asked: $(cat "$work/asked")" "$said" | sed 's/^/# /'
	fi
}

export DIALER_NO_INSTALL=1
machine libck-dev libnng-dev
expect 'missing packages: libck-dev libnng-dev' '' 'DIALER_NO_INSTALL: they are named, nothing is installed' build
expect 'missing packages: libck-dev libnng-dev' '' '... and by the demo' demo --seconds 1
machine redis-server postgresql
expect 'missing packages: postgresql redis-server' '' '... with --full its services, too' demo --full
machine libcmocka-dev
expect 'missing packages: libcmocka-dev' '' '... by the tests what only they need' test
expect 'missing packages: libcmocka-dev' '' '... and by a build of theirs' build --preset asan
machine clang-format-14
expect 'missing packages: clang-format-14' '' '... and by format' format
machine gcc libck-dev
play gcc true
expect 'missing packages: libck-dev' '' 'a command that is there needs no package' build

unset DIALER_NO_INSTALL
machine libck-dev libnng-dev
play id 'echo 1000'
expect 'as root: apt-get install --no-install-recommends libck-dev libnng-dev' '' 'a user without sudo is told the line' build
play sudo 'exit 1'
expect 'as root: apt-get install --no-install-recommends libck-dev libnng-dev' '' '... and one who would be asked for a password' build
play sudo '[ "$1" = -n ] || exec "$@"'
expect 'installing with apt (sudo): libck-dev libnng-dev' 'apt-get update -q' 'a user with sudo uses it' build
expect 'E: no network' 'apt-get update -q' '... and hears why apt could not' build
machine libck-dev libnng-dev
play apt-get "echo \"apt-get \$*\" >>\"$work/asked\"; [ \$1 = update ]"
expect 'apt could not install them' 'apt-get install -q -y --no-install-recommends libck-dev libnng-dev' 'root installs these and no more' build
machine libck-dev
rm "$work/bin/apt-get"
expect 'not a Debian system: please install the equivalents of: libck-dev' '' 'no apt-get: the names at least' build

echo "1..$n"

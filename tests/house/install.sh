#!/bin/sh
# install.sh BUILD-DIR: TAP. Installs the release build into a temporary root under another prefix, looks at what came, and at how
# the programs were hardened.
set -u
build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
prefix=$root/opt/dialer
n=0

result() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

DESTDIR=$root cmake --install "$build" --prefix /opt/dialer >"$root/log" 2>&1
result $? "cmake --install"

for file in lib/systemd/system/dialerd.service lib/sysusers.d/dialerd.conf share/doc/dialerd/dialerd.conf.example \
	share/doc/dialerd/LICENSE share/man/man1/dialerctl.1 share/man/man1/ari-sim.1 share/man/man1/agent-sim.1 \
	share/man/man1/dialer-bench.1 share/man/man5/dialerd.conf.5 share/man/man8/dialerd.8; do
	[ -s "$prefix/$file" ]
	result $? "$file"
done

unit=$prefix/lib/systemd/system/dialerd.service
grep -q '^ExecStart=/opt/dialer/bin/dialerd ' "$unit" && ! grep -q '@[A-Z_]*@' "$unit"
result $? "the unit names the place of the programs"

while read -r program; do
	file=$prefix/bin/$program
	[ -x "$file" ]
	result $? "bin/$program"
	headers=$(readelf -hldW "$file" 2>/dev/null)
	case $headers in *"Type:"*DYN*) true ;; *) false ;; esac
	result $? "$program is position independent"
	case $headers in *GNU_RELRO*) true ;; *) false ;; esac && case $headers in *BIND_NOW* | *"Flags: NOW"*) true ;; *) false ;; esac
	result $? "$program: relocations are read-only from the start"
	readelf -lW "$file" 2>/dev/null | awk '$1 == "GNU_STACK" { found = 1; if ($0 ~ /RWE/) bad = 1 } END { exit bad || !found }'
	result $? "$program: the stack is not executable"
	nm -D "$file" 2>/dev/null | grep -q __stack_chk_fail && nm -D "$file" | grep -q '_chk@'
	result $? "$program: stack protector and fortified calls"
	! readelf -dW "$file" 2>/dev/null | grep -q -E 'RPATH|RUNPATH'
	result $? "$program: no search path of this machine"
done <"$build/programs.list"

# What a program says of itself with --help stands in its manual page, option by option.
for program in ari-sim agent-sim dialer-bench; do
	page=$prefix/share/man/man1/$program.1
	options=$("$prefix/bin/$program" --help | sed 's/dialerctl [^)]*//' | grep -oE -e '--[a-z][a-z-]*' | sort -u)
	missing=
	for option in $options; do
		sed -e 's/\\-/-/g' "$page" | grep -qE -e "^\.B[IR]? $option( |\$)" || missing="$missing $option"
	done
	[ -n "$options" ] && [ -z "$missing" ]
	result $? "$program.1 has each option of --help${missing:+, but not$missing}"
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS OUTPUT 'EXIT STATUS' EXAMPLE; do
		grep -qx ".SH $section" "$page"
		result $? "$program.1: $section"
	done
done

echo "1..$n"

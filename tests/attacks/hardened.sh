#!/bin/sh
# hardened.sh PROGRAM...: reads from the released programs how they were built (A21), that dialerd imports nothing that starts a
# program but the demo's execv, which seccomp forbids to the daemon (A2), and that it can be neither broken on purpose nor told where
# to die (core/mutant.h, core/crash.h). TAP.
set -u
n=0
failed=0
check() { # SENTENCE, then a status
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		failed=1
	fi
}
has() { # TEXT PATTERN
	printf '%s\n' "$1" | grep -Eq -- "$2"
}

echo "1..$(($# * 8 + 3))"
for program in "$@"; do
	name=$(basename "$program")
	header=$(readelf -hlW "$program" 2>/dev/null)
	dynamic=$(readelf -dW "$program" 2>/dev/null)
	symbols=$(readelf -sW --dyn-syms "$program" 2>/dev/null | awk '{ sub(/@.*/, "", $8); print $8 }' | sort -u)
	entries=$(objdump -d --no-show-raw-insn --disassemble=main "$program" 2>/dev/null)
	has "$header" 'Type: +DYN' && has "$dynamic" 'FLAGS_1.*PIE'
	check "$name: position independent (PIE)" $?
	has "$header" 'GNU_RELRO'
	check "$name: relocations read-only (RELRO)" $?
	has "$dynamic" 'BIND_NOW|FLAGS.*NOW'
	check "$name: bound at start (now)" $?
	printf '%s\n' "$header" | grep 'GNU_STACK' | grep -qv 'E'
	check "$name: no executable stack" $?
	! has "$header" ' RWE '
	check "$name: nothing both writable and executable" $?
	has "$symbols" '^__stack_chk_fail$'
	check "$name: stack protector" $?
	has "$symbols" '^__[a-z]+_chk$'
	check "$name: fortified libc calls" $?
	case $(uname -m) in
	# Not the note of the whole program: Debian's start files are without, so the linker leaves it out.
	x86_64) has "$entries" 'endbr64' ;;
	*) true ;;
	esac
	check "$name: control-flow protection (landing pads)" $?
done

daemon=$1
starts=$(readelf -sW --dyn-syms "$daemon" | awk '$7 == "UND" { sub(/@.*/, "", $8); print $8 }' |
	grep -E '^(system|popen|exec[a-z]*|fexecve|posix_spawnp?|wordexp|dlopen)$' | sort -u | tr '\n' ' ')
[ "$starts" = "execv " ]
check "dialerd imports to start programs: ${starts:-nothing }(execv is the demo's)" $?
users=$(grep -rlE '(^|[^a-z_])(execv|execve|system|popen|posix_spawn)[a-z]* *\(' core actors adapters --include='*.c' --exclude-dir=node_modules | tr '\n' ' ')
[ "$users" = "adapters/daemon/child.c " ]
check "files that start programs: ${users:-none }" $?
names=$(sed -n 's/^ *X(\([a-z_]*\)).*/\1/p' core/mutant.h)
left=$(strings -a "$daemon" | grep -E "$(printf '%s|' $names)DIALER_MUTANT|DIALER_CRASH" | sort -u | tr '\n' ' ')
[ -n "$names" ] && [ -z "$left" ]
check "dialerd has no mutants and no crash points: ${left:-none of $(printf '%s\n' $names | wc -l) names}" $?
exit $failed

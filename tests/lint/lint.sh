#!/bin/sh
# lint.sh CHECK TREE [FILE]: one check over a source tree; prints each offence as "path:line: what is wrong", exit status 1 if any.
# lint.sh --list: the checks, one a line, each with its sentence.
#
# links and symbols read what the build wrote (FILE): links.list from tests/cmake/dialer.cmake; undefined.list from `nm`.
set -u
LC_ALL=C
export LC_ALL
here=$(cd "$(dirname "$0")" && pwd)

list() {
	cat <<-'END'
		includes  arrows between the layers point down only, by #include
		actors    actors/ calls no allocator, clock, thread, stdio or random number
		owners    one file owns each library
		links     arrows between the layers point down only, by what targets link
		symbols   the compiled actors need nothing but core and a few functions of memory, text and arithmetic
		calls     no shell, and no function of libc that is unsafe by its form
		sleeps    no sleep in a test
		asserts   no assertion is commented out
		top       the top level has only what the house names
		length    files over 600 lines and functions over 60 say why
		marks     no postponed work is left in the text
		hosts     no address outside loopback and documentation, no package host, no path of one machine
		numbers   fictional telephone numbers only
		tests     every test is registered with dialer_test() or dialer_script_test()
		tabs      no trailing blank, no carriage return, a newline at the end
	END
}

c_files() { # FOLDER...: .c, .h and .def below them
	for folder in "$@"; do
		[ -d "$folder" ] && find "$folder" -type f \( -name '*.c' -o -name '*.h' -o -name '*.def' \) ! -path '*/node_modules/*'
	done | sort
}

text_files() { # every file a person wrote
	find . -type f ! -path './.git/*' ! -path './build/*' ! -path '*/node_modules/*' ! -path './tests/lint/*' ! -name LICENSE \
		\( -name '*.c' -o -name '*.h' -o -name '*.def' -o -name '*.sh' -o -name '*.awk' -o -name '*.cmake' -o -name '*.txt' \
		-o -name '*.md' -o -name '*.json' -o -name '*.sql' -o -name '*.js' -o -name '*.mjs' -o -name '*.ts' -o -name '*.svelte' \
		-o -name '*.css' -o -name '*.html' -o -name '*.conf' -o -name '*.service' -o -name '*.in' -o -path './run' -o -path './.ci/run' \) |
		sort
}

code() { # FOLDER...: stripped lines
	c_files "$@" | tr '\n' '\0' | xargs -0 -r awk -f "$here/strip.awk"
}

check_includes() {
	code core actors adapters bench tests | awk '
	function folder(path, depth,    f, n) {
		n = split(path, f, "/")
		return depth == 1 || n < 3 ? f[1] : f[1] "/" f[2]
	}
	function bad(what) { print file ":" line ": " what; }
	match($0, /^[^:]*:[0-9]+:[ \t]*#[ \t]*include[ \t]*/) {
		split($0, f, ":"); file = f[1]; line = f[2]
		rest = substr($0, RSTART + RLENGTH)
		local = substr(rest, 1, 1) == "\""
		name = substr(rest, 2); sub(/[">].*/, "", name)
		from = folder(file, 1); at = folder(file, 2)
		if (!local) {
			if (from == "actors" && name !~ /^(stdint|stdbool|stddef|string|inttypes|limits|math)\.h$/)
				bad("actors/ may not include <" name ">")
			next
		}
		if (from == "tests" || from == "bench") next
		if (name !~ /\//) { bad("say the whole path: \"" at "/" name "\""); next }
		to = folder(name, 1); target = folder(name, 2)
		if (to == "tests" || to == "bench") bad(from "/ may not include " name)
		else if (from == "core" && to != "core") bad("core/ includes core/ only, not " name)
		else if (from == "actors" && to != "core" && to != "actors") bad("actors/ includes core/ and actors/ only, not " name)
		else if (from == "adapters" && at != "adapters/daemon" && at != "adapters/pictures") {
			if (to == "actors" && name !~ /^actors\/(messages|types)\.(h|def)$/)
				bad("an adapter knows the message list only, not " name)
			# Others are known by their port, the header named like the folder; an implementation of a port sees its
			# folder whole; the simulators know the network only.
			port = target; sub(/.*\//, "", port); port = target "/" port ".h"
			if (to == "adapters" && target != at && target != "adapters/net" &&
			    !(at ~ /^adapters\/(sqlite|postgres)$/ && target == "adapters/store") &&
			    !(at == "adapters/redis" && target == "adapters/hopper") &&
			    (at == "adapters/sim" || name != port || target !~ /^adapters\/(journal|secret|store|hopper|zone)$/))
				bad(at " may not include " name)
			if (at == "adapters/net" && to != "core" && target != at) bad("adapters/net includes core/ only, not " name)
		}
	}'
}

check_actors() {
	code actors | grep -v 'include' |
		grep -E '(^|[^A-Za-z0-9_])(m|c|re)alloc *\(|[^A-Za-z0-9_](free|rand|random|srand|printf|snprintf|fprintf|time|clock|clock_gettime|gettimeofday|getenv|abort|exit|open|read|write|socket|send|recv|select|poll|sleep|usleep|nanosleep) *\(|pthread_|mtx_|thrd_|atomic_|_Atomic|[^A-Za-z0-9_](FILE|volatile)[^A-Za-z0-9_]' |
		sed 's/$/   <- not in actors\//'
}

check_owners() {
	code core actors adapters | awk '
	match($0, /^[^:]*:[0-9]+:[ \t]*#[ \t]*include[ \t]*[<"]/) {
		file = $0; sub(/:.*/, "", file)
		name = substr($0, RSTART + RLENGTH); sub(/[">].*/, "", name)
		if (name ~ /^ck_/) lib = "CK"
		else if (name ~ /^nng\//) lib = "nng"
		else if (name ~ /^msgpack(\.h|\/)/) lib = "msgpack"
		else if (name ~ /hiredis|^async\.h$|^adapters\/libev/) lib = "hiredis"
		else if (name ~ /libpq|^postgresql\/|^pg_/) lib = "libpq"
		else if (name ~ /^sqlite3/) lib = "sqlite"
		else if (name ~ /^sodium/) lib = "sodium"
		else if (name ~ /^libwebsockets|^lws/) lib = "libwebsockets"
		else if (name ~ /^ev\.h$/) lib = "libev"
		else if (name ~ /^openssl\/|^uv\.h|^jansson|^curl\//) lib = "unlisted library (" name ")"
		else next
		if (lib == "libwebsockets" || lib == "libev") {
			if (file !~ /^adapters\/net\//) print file ": " lib " belongs to adapters/net"
			next
		}
		if (lib == "sodium" && file != "adapters/secret/secret.c") print file ": sodium belongs to adapters/secret/secret.c"
		if (lib ~ /^unlisted/) print file ": " lib
		if (file ~ /\.h$/) print file ": a header lets " lib " out to whoever includes it"
		else if (lib in owner && owner[lib] != file) print file ": " lib " is owned by " owner[lib] " already"
		else owner[lib] = file
	}'
}

check_links() { # links.list: FOLDER TARGET LINKED...
	awk '
	{ dir[$2] = $1; text[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++) {
			n = split(text[i], f, " "); at = f[1]; split(at, d, "/"); from = d[1]
			for (j = 3; j <= n; j++) {
				lib = f[j]
				if (from == "tests" || from == "bench") continue
				if (!(lib in dir)) {
					if (from == "actors" && lib != "m") print at ": " f[2] " links the library " lib
					if (lib ~ /WEBSOCKETS/ && at != "adapters/net") print at ": " f[2] " links " lib ", which is for adapters/net"
					if (lib ~ /SODIUM/ && at != "adapters/secret") print at ": " f[2] " links " lib ", which is for adapters/secret"
					if (lib ~ /CK$|nng|MSGPACK|HIREDIS|PQ$|SQLITE/) {
						if ((lib in user) && user[lib] != at) print at ": " f[2] " links " lib ", which is for " user[lib]
						user[lib] = at
					}
					if (lib ~ /CMOCKA/) print at ": " f[2] " links " lib
					continue
				}
				split(dir[lib], e, "/"); to = e[1]
				if (to == "tests" || to == "bench") print at ": " f[2] " links " lib " from " dir[lib]
				else if (from == "core" && to != "core") print at ": " f[2] " links " lib " from " dir[lib]
				else if (from == "actors" && to != "core" && to != "actors") print at ": " f[2] " links " lib " from " dir[lib]
				else if (from == "adapters" && at != "adapters/daemon" && at != "adapters/pictures" && to == "adapters" && dir[lib] != at &&
				    dir[lib] != "adapters/net" && (at == "adapters/sim" || dir[lib] !~ /^adapters\/(journal|secret|store|hopper|zone)$/))
					print at ": " f[2] " links " lib " from " dir[lib]
			}
		}
	}' "$1"
}

check_symbols() { # undefined.list: one symbol a line that actors need and neither core nor actors define
	grep -v -x -E '(__asan|__ubsan|__tsan|__sanitizer)_.*|mem(cpy|move|set|cmp|chr)|str(len|nlen|cmp|ncmp|chr|rchr|spn|cspn|str)|(exp|log|pow|sqrt|floor|ceil|fabs|lround|fmin|fmax|expm1|log1p|round|erf|erfc|lgamma)f?|__(memcpy|memmove|memset)_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__assert_fail' "$1" |
		sed 's/$/: needed by the compiled actors/'
}

check_calls() {
	code core actors adapters bench |
		grep -E '[^A-Za-z0-9_>.](gets|strcpy|strcat|sprintf|vsprintf|strtok|localtime|gmtime|ctime|asctime|alloca|atoi|atol|atof|rand|strncpy|strncat) *\(' |
		sed 's/$/   <- not allowed here/'
	code core actors adapters bench tests |
		grep -E '[^A-Za-z0-9_>.](system|popen|tmpnam|mktemp) *\(' | sed 's/$/   <- not allowed here/'
	c_files core actors adapters bench tests | tr '\n' '\0' | xargs -0 -r grep -n -E '"/bin/(ba|da)?sh"|"(ba|da)?sh", *"-c"' /dev/null
}

check_sleeps() {
	code tests | grep -E '[^A-Za-z0-9_](sleep|usleep|nanosleep|clock_nanosleep|nng_msleep|thrd_sleep) *\('
	[ ! -d tests ] || find tests -name '*.sh' ! -path 'tests/lint/*' -type f -exec grep -n -E '(^|[;&|(]|do|then)[[:blank:]]*sleep[[:blank:]]' /dev/null {} +
}

check_asserts() {
	c_files tests core actors adapters | tr '\n' '\0' |
		xargs -0 -r grep -n -E '^[[:blank:]]*(//|/\*|\*)[[:blank:]]*(assert|assert_[a-z_]+|fail|fail_msg)\(' /dev/null
}

check_top() {
	for entry in * .[!.]*; do
		case $entry in
		core | actors | adapters | bench | tests | CMakeLists.txt | CMakePresets.json | README.md | run | LICENSE) ;;
		build | .git | '*' | '.[!.]*') ;;
		.ci)
			for inner in .ci/* .ci/.[!.]*; do
				case $inner in
				.ci/run | '.ci/*' | '.ci/.[!.]*') ;;
				*) echo "$inner: only .ci/run belongs there" ;;
				esac
			done
			;;
		.*) [ -f "$entry" ] || echo "$entry: not a dot-file" ;;
		*) echo "$entry: does not belong at the top level" ;;
		esac
	done
}

check_length() {
	c_files core actors adapters bench tests | grep -v '\.def$' | tr '\n' '\0' | xargs -0 -r awk '
	function close_file() {
		if (lines > 600 && !reason) print file ": " lines " lines and no \"Reason for length:\" at its top"
	}
	FNR == 1 { close_file(); file = FILENAME; reason = 0; open = 0 }
	{ lines = FNR }
	/Reason for length:/ { if (FNR <= 40) reason = 1; said = FNR }
	/^{/ { open = FNR; name = before }
	/^}/ {
		# The reason of a function stands in the comment above it or in its first lines.
		if (open && FNR - open - 1 > 60 && !(said && said >= open - 25 && said <= open + 6))
			print file ":" open ": a function of " FNR - open - 1 " lines and no \"Reason for length:\" at its top: " name
		open = 0
	}
	{ before = $0 }
	END { close_file() }'
}

check_marks() {
	text_files | tr '\n' '\0' | xargs -0 -r grep -n -w -E 'TODO|FIXME|HACK|XXX|WIP|TBD' /dev/null
}

check_hosts() {
	text_files | tr '\n' '\0' | xargs -0 -r grep -n -o -E '(^|[^0-9.])([0-9]{1,3}\.){3}[0-9]{1,3}($|[^0-9.])' /dev/null |
		grep -v -E '[^0-9](127(\.[0-9]+){3}|0\.0\.0\.0|255\.255\.255\.255|192\.0\.2\.[0-9]+|198\.51\.100\.[0-9]+|203\.0\.113\.[0-9]+)([^0-9]|$)'
	text_files | tr '\n' '\0' |
		xargs -0 -r grep -n -i -E 'registry\.[a-z]|npmjs|deb\.debian|security\.debian|pypi\.|proxy\.golang|artifactory|"resolved": *"' /dev/null
	text_files | tr '\n' '\0' | xargs -0 -r grep -n -E '(^|[^A-Za-z0-9_.])/(work|root|home/[a-z]+)/' /dev/null
}

check_numbers() { # +1 NPA 555 01xx; +44 20 7946 0xxx, 113/114/115/116/117/118/121/131/141/151/161/191 496 0xxx, 7700 900xxx, 1632 960xxx, 909 879 0xxx
	text_files | tr '\n' '\0' | xargs -0 -r grep -n -o -E '\+(1[2-9][0-9]{9}|44[1-9][0-9]{9})($|[^0-9])' /dev/null |
		grep -v -E '\+1[2-9][0-9]{2}55501[0-9]{2}|\+44(2079460[0-9]{3}|1[0-9]{2}4960[0-9]{3}|7700900[0-9]{3}|1632960[0-9]{3}|9098790[0-9]{3})'
}

check_tests() {
	find . \( -name CMakeLists.txt -o -name '*.cmake' \) ! -path './build/*' ! -path './tests/cmake/dialer.cmake' \
		-exec grep -n -E '(^|[^a-z_])add_test *\(' /dev/null {} +
}

check_tabs() {
	text_files | tr '\n' '\0' | xargs -0 -r awk '
	/[ \t]+$/ && FILENAME !~ /\.md$/ { print FILENAME ":" FNR ": blank at the end of the line" }
	/\r/ { print FILENAME ":" FNR ": carriage return" }'
	text_files | while IFS= read -r file; do
		[ ! -s "$file" ] || [ "$(tail -c 1 "$file" | wc -l)" -eq 1 ] || echo "$file: no newline at the end"
	done
}

[ "${1:-}" != --list ] || {
	list
	exit 0
}
check=$1
file=${3:-}
case $file in
'' | /*) ;;
*) file=$PWD/$file ;;
esac
list | grep -q "^$check " || {
	echo "lint.sh: no check '$check'" >&2
	exit 2
}
cd "$2" || exit 2
found=$("check_$check" "$file")
[ -z "$found" ] && exit 0
printf '%s\n' "$found"
exit 1

#!/bin/sh
# self_test.sh: shows that each check of lint.sh can fail. A small good tree passes all of them; each line below `bad` plants one
# offence in a copy of it, and the named check, and what it prints, must catch it. TAP.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0

result() { # STATUS TEXT
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

good=$work/good
mkdir -p "$good/core" "$good/actors" "$good/adapters/net" "$good/adapters/store" "$good/adapters/secret" "$good/adapters/daemon" \
	"$good/tests/core" "$good/.ci"
cat >"$good/core/box.h" <<'END'
/* Talks of malloc() and "system()", which comments may. */
#include <stdint.h>
int box(void);
END
cat >"$good/core/box.c" <<'END'
#include "core/box.h"
#include <ck_ring.h>

int box(void)
{
    return 1; /* "TO-DO" spelt otherwise */
}
END
printf '#include "core/box.h"\n#include <string.h>\n' >"$good/actors/campaign.c"
printf '#include "core/box.h"\n' >"$good/actors/messages.h"
printf '#include "core/box.h"\n#include <libwebsockets.h>\n' >"$good/adapters/net/http.c"
printf '#include "actors/messages.h"\n#include "adapters/net/http.h"\n#include <sqlite3.h>\n' >"$good/adapters/store/sqlite.c"
printf '#include <sodium.h>\n' >"$good/adapters/secret/secret.c"
printf '#include "actors/campaign.h"\n#include "adapters/store/store.h"\n' >"$good/adapters/daemon/main.c"
printf '#include "core/box.h"\n#include <ck_ring.h>\nconst char *who = "+12125550123 at 127.0.0.1 or 192.0.2.7";\n' \
	>"$good/tests/core/box_test.c"
printf 'dialer_test(box SUITE core SOURCES box_test.c)\n' >"$good/tests/core/CMakeLists.txt"
printf '#!/bin/sh\n' >"$good/.ci/run"
cat >"$good.links" <<'END'
core core PkgConfig::CK Threads::Threads
actors actors core m
adapters/net net PkgConfig::WEBSOCKETS core
adapters/store store net core PkgConfig::SQLITE
adapters/daemon dialerd store net actors core
tests/core box core PkgConfig::CK PkgConfig::CMOCKA
END
printf 'memcpy\nlog\n__asan_init\n__ubsan_handle_add_overflow\n' >"$good.symbols"

input() { # CHECK: the file that it reads
	case $1 in
	links | symbols) echo "$2.$1" ;;
	esac
}

for check in $("$here/lint.sh" --list | cut -d' ' -f1); do
	said=$("$here/lint.sh" "$check" "$good" $(input "$check" "$good"))
	result $? "$check passes a good tree"
	[ -z "$said" ] || printf '%s\n' "$said" | sed 's/^/# /'
done

# bad CHECK FILE EXPECTED < text appended to FILE: the check must fail and name EXPECTED (a fixed string).
bad() {
	tree=$work/bad
	rm -rf "$tree" "$tree.links" "$tree.symbols"
	cp -R "$good" "$tree"
	cp "$good.links" "$tree.links"
	cp "$good.symbols" "$tree.symbols"
	mkdir -p "$(dirname "$tree/$2")"
	cat >>"$tree/$2"
	said=$("$here/lint.sh" "$1" "$tree" $(input "$1" "$tree"))
	status=$?
	case $said in
	*"$3"*) [ "$status" -eq 1 ] ;;
	*) false ;;
	esac
	result $? "$1 catches: $3"
}

bad includes core/box.c 'core/ includes core/ only, not actors/types.h' <<'END'
#include "actors/types.h"
END
bad includes actors/campaign.c 'actors/ may not include <pthread.h>' <<'END'
#include <pthread.h>
END
bad includes actors/campaign.c 'actors/ includes core/ and actors/ only, not adapters/net/http.h' <<'END'
#include "adapters/net/http.h"
END
bad includes adapters/store/sqlite.c 'an adapter knows the message list only, not actors/campaign.h' <<'END'
#include "actors/campaign.h"
END
bad includes adapters/net/http.c 'adapters/net includes core/ only, not adapters/store/store.h' <<'END'
#include "adapters/store/store.h"
END
bad includes adapters/ari/ari.c 'adapters/ari may not include adapters/store/rows.h' <<'END'
#include "adapters/store/store.h"
#include "adapters/store/rows.h"
END
bad includes adapters/sim/pbx.c 'adapters/sim may not include adapters/store/store.h' <<'END'
#include "adapters/store/store.h"
END
bad includes adapters/store/sqlite.c 'adapters/store may not include adapters/web/web.h' <<'END'
#include "adapters/web/web.h"
END
bad includes adapters/daemon/main.c 'may not include tests/support.h' <<'END'
#include "tests/support.h"
END
bad includes core/box.c 'say the whole path' <<'END'
#include "box.h"
END
bad actors actors/campaign.c 'actors/campaign.c:3' <<'END'
void *f(void) { return malloc(3); }
END
bad actors actors/campaign.c 'clock_gettime' <<'END'
int f(void) { return clock_gettime(0, 0); }
END
bad owners core/other.c 'CK is owned by' <<'END'
#include <ck_fifo.h>
END
bad owners adapters/store/pg.h 'a header lets libpq out' <<'END'
#include <libpq-fe.h>
END
bad owners adapters/store/sqlite.c 'libwebsockets belongs to adapters/net' <<'END'
#include <libwebsockets.h>
END
bad owners adapters/net/http.c 'sodium belongs to' <<'END'
#include <sodium.h>
END
bad owners adapters/net/tls.c 'unlisted library' <<'END'
#include <openssl/ssl.h>
END
bad links ../bad.links 'core: runtime links actors' <<'END'
core runtime actors
END
bad links ../bad.links 'actors: pacing links the library Threads::Threads' <<'END'
actors pacing core Threads::Threads
END
bad links ../bad.links 'adapters/ari: ari links web from adapters/web' <<'END'
adapters/web web net store core
adapters/ari ari net store web core
END
bad links ../bad.links 'adapters/sim: ari-sim links store from adapters/store' <<'END'
adapters/sim ari-sim net store
END
bad links ../bad.links 'links PkgConfig::CK, which is for core' <<'END'
adapters/ari ari PkgConfig::CK
END
bad links ../bad.links 'which is for adapters/net' <<'END'
adapters/ari ari PkgConfig::WEBSOCKETS
END
bad symbols ../bad.symbols 'pthread_create: needed by the compiled actors' <<'END'
pthread_create
END
bad calls core/box.c 'core/box.c:8' <<'END'
int run(const char *c) { return system(c); }
END
bad calls adapters/net/http.c 'strcpy' <<'END'
void f(char *a) { strcpy(a, "system()"); }
END
bad calls adapters/daemon/main.c '/bin/sh' <<'END'
char *argv[] = {"/bin/sh", "-c", 0};
END
bad sleeps tests/core/box_test.c 'usleep' <<'END'
void wait(void) { usleep(10); }
END
bad sleeps tests/core/it.sh 'sleep 1' <<'END'
true; sleep 1
END
bad asserts tests/core/box_test.c 'box_test.c:4' <<'END'
    // assert_int_equal(1, 2);
END
bad top docs/x.md 'docs: does not belong at the top level' <<'END'
x
END
bad top .ci/more 'only .ci/run belongs there' <<'END'
x
END
lines() { # COUNT
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) print "    x++;" }'
}
{
	echo
	lines 620
} >"$work/text"
bad length core/box.c '628 lines and no "Reason for length:"' <"$work/text"
{
	printf 'void long_one(void)\n{\n'
	lines 61
	echo '}'
} >"$work/text"
bad length core/box.c 'a function of 61 lines' <"$work/text"
bad marks core/box.c 'core/box.c:8' <<'END'
/* TODO: later */
END
bad hosts tests/core/box_test.c '10.1.2.3' <<'END'
const char *host = "10.1.2.3";
END
bad hosts tests/package-lock.json 'resolved' <<'END'
"resolved": "https://example.net/a.tgz"
END
bad hosts core/box.c '/root/' <<'END'
const char *path = "/root/main";
END
bad numbers tests/core/box_test.c '+12125551234' <<'END'
const char *them = "+12125551234";
END
bad tests tests/core/CMakeLists.txt 'add_test' <<'END'
add_test(NAME x COMMAND x)
END
printf 'int x; \n' >"$work/text"
bad tabs core/box.c 'blank at the end' <"$work/text"
printf 'int x;' >"$work/text"
bad tabs core/box.c 'no newline at the end' <"$work/text"

echo "1..$n"

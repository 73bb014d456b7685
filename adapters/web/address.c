/* address.c - whose request it is, as far as addresses tell: for pauses, and for what loopback may
 * see. */
#include "adapters/web/internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* An address as one party: IPv4 as it is, of IPv6 the first 64 bits, since whoever has one of them
 * has them all. False: it is none. */
static bool party(const char *text, size_t len, char out[ADDRESS_SIZE])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char bytes[16];
    char copy[INET6_ADDRSTRLEN];

    if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    }
    if (len >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, bytes) == 1) {
        return inet_ntop(AF_INET, bytes, out, ADDRESS_SIZE) != NULL;
    }
    if (inet_pton(AF_INET6, copy, bytes) != 1) {
        return false;
    }
    if (memcmp(bytes, mapped, sizeof mapped) == 0) {
        return inet_ntop(AF_INET, bytes + sizeof mapped, out, ADDRESS_SIZE) != NULL;
    }
    if (memcmp(bytes, &in6addr_loopback, sizeof bytes) != 0) {
        memset(bytes + 8, 0, 8);
    }
    return inet_ntop(AF_INET6, bytes, out, ADDRESS_SIZE) != NULL;
}

void web_address(const struct web *web, const struct net_req *req, char out[ADDRESS_SIZE])
{
    const char *peer = net_req_peer(req);
    const char *port = strrchr(peer, ':');
    const char *chain = web->options.behind_tls ? net_req_header(req, "X-Forwarded-For") : NULL;
    const char *last = chain != NULL ? strrchr(chain, ',') : NULL;

    /* The last of the chain is what our own proxy saw; what stands before it anybody can write. */
    if (chain != NULL) {
        last = last != NULL ? last + 1 : chain;
        last += strspn(last, " \t");
        if (party(last, strcspn(last, " \t"), out)) {
            return;
        }
    }
    if (!party(peer, port != NULL ? (size_t)(port - peer) : strlen(peer), out)) {
        snprintf(out, ADDRESS_SIZE, "%.*s", ADDRESS_SIZE - 1, peer);
    }
}

bool web_from_loopback(const struct web *web, const struct net_req *req)
{
    char address[ADDRESS_SIZE];

    web_address(web, req, address);
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

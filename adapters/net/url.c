/* url.c - percent-encoding, query strings, cookies, basic authorisation, header fields. */
#include "adapters/net/internal.h"

#include <string.h>
#include <strings.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int net_url_decode(struct text in, bool plus, char *out, size_t size)
{
    size_t n = 0;
    for (uint32_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (c == '%') {
            if (in.len - i < 3 || hex(in.ptr[i + 1]) < 0 || hex(in.ptr[i + 2]) < 0) {
                return -1;
            }
            c = (char)(hex(in.ptr[i + 1]) * 16 + hex(in.ptr[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0' || n + 1 >= size) {
            return -1;
        }
        out[n++] = c;
    }
    if (n >= size) {
        return -1;
    }
    out[n] = '\0';
    return (int)n;
}

int net_url_encode(const char *in, size_t len, char *out, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (n + (plain ? 1u : 3u) >= size) {
            return -1;
        }
        if (plain) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    if (n >= size) {
        return -1;
    }
    out[n] = '\0';
    return (int)n;
}

int net_query_get(struct text query, const char *name, unsigned nth, char *out, size_t size)
{
    uint32_t i = 0;
    while (i < query.len) {
        const char *start = query.ptr + i;
        const char *end = memchr(start, '&', query.len - i);
        uint32_t pair = end ? (uint32_t)(end - start) : query.len - i;
        const char *equal = memchr(start, '=', pair);
        uint32_t key = equal ? (uint32_t)(equal - start) : pair;
        char decoded[128];
        if (net_url_decode((struct text){start, key}, true, decoded, sizeof decoded) >= 0 &&
            strcmp(decoded, name) == 0 && nth-- == 0) {
            struct text value = {equal ? equal + 1 : start + pair, equal ? pair - key - 1 : 0};
            int n = net_url_decode(value, true, out, size);
            return n < 0 ? -2 : n;
        }
        i += pair + 1;
    }
    return -1;
}

int net_cookie_get(const char *header, const char *name, char *out, size_t size)
{
    size_t name_len = strlen(name);
    const char *p = header ? header : "";
    while (*p) {
        p += strspn(p, " ;");
        size_t len = strcspn(p, ";");
        if (len > name_len && p[name_len] == '=' && strncmp(p, name, name_len) == 0) {
            size_t n = len - name_len - 1;
            if (n >= size) {
                return -2;
            }
            memcpy(out, p + name_len + 1, n);
            out[n] = '\0';
            return (int)n;
        }
        p += len;
    }
    return -1;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool net_basic_auth(const char *header, char *user, size_t user_size, char *password,
                    size_t password_size)
{
    if (!header || strncasecmp(header, "Basic ", 6) != 0) {
        return false;
    }
    header += 6 + strspn(header + 6, " ");
    char *out = user;
    size_t size = user_size;
    size_t n = 0;
    unsigned bits = 0;
    unsigned have = 0;
    bool in_password = false;
    for (; *header && *header != '='; header++) {
        int v = base64_value(*header);
        if (v < 0) {
            return false;
        }
        bits = (bits << 6 | (unsigned)v) & 0xfffffu;
        have += 6;
        if (have < 8) {
            continue;
        }
        have -= 8;
        char c = (char)(bits >> have & 0xffu);
        if (c == ':' && !in_password) {
            out[n] = '\0';
            out = password;
            size = password_size;
            n = 0;
            in_password = true;
            continue;
        }
        if (c == '\0' || n + 1 >= size) {
            return false;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return in_password;
}

int net_basic_auth_make(const char *user, const char *password, char *out, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t user_len = strlen(user);
    size_t len = user_len + 1 + strlen(password);
    size_t n = 6;
    if (strchr(user, ':') || size < 6 + (len + 2) / 3 * 4 + 1) {
        return -1;
    }
    memcpy(out, "Basic ", 6);
    for (size_t i = 0; i < len; i += 3) {
        unsigned three = 0;
        for (size_t k = i; k < i + 3; k++) {
            unsigned char c = 0;
            if (k < len) {
                c = (unsigned char)(k < user_len    ? user[k]
                                    : k == user_len ? ':'
                                                    : password[k - user_len - 1]);
            }
            three = three << 8 | c;
        }
        for (size_t k = 0; k < 4; k++) {
            bool padding = i + k > len;
            out[n++] = padding ? '=' : digits[three >> (18 - 6 * k) & 63u];
        }
    }
    out[n] = '\0';
    return (int)n;
}

bool buf_text(struct net_buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

bool buf_field(struct net_buf *b, const char *name, const char *value)
{
    return header_name_ok(name) && header_value_ok(value) && buf_text(b, name) &&
           buf_text(b, ": ") && buf_text(b, value) && buf_text(b, "\r\n");
}

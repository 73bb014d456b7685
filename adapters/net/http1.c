/* http1.c - reading HTTP/1.1 message heads, strictly. */
#include "adapters/net/http1.h"

#include "adapters/net/internal.h"

#include <string.h>
#include <strings.h>

static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) {
        return true;
    }
    return c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool is_value_char(unsigned char c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7f);
}

bool header_name_ok(const char *name)
{
    if (!name || !*name) {
        return false;
    }
    for (; *name; name++) {
        if (!is_token_char((unsigned char)*name)) {
            return false;
        }
    }
    return true;
}

bool header_value_ok(const char *value)
{
    if (!value) {
        return false;
    }
    for (; *value; value++) {
        if (!is_value_char((unsigned char)*value)) {
            return false;
        }
    }
    return true;
}

struct text http1_field(const char *bytes, const struct http1_head *head, const char *name)
{
    size_t n = strlen(name);
    for (unsigned i = 0; i < head->n_fields; i++) {
        const struct http1_field *f = &head->fields[i];
        if (f->name_len == n && strncasecmp(bytes + f->name, name, n) == 0) {
            return (struct text){bytes + f->value, f->value_len};
        }
    }
    return (struct text){NULL, 0};
}

bool http1_list_has(struct text list, const char *word)
{
    size_t n = strlen(word);
    uint32_t i = 0;
    while (i < list.len) {
        while (i < list.len && (list.ptr[i] == ' ' || list.ptr[i] == '\t' || list.ptr[i] == ',')) {
            i++;
        }
        uint32_t start = i;
        while (i < list.len && list.ptr[i] != ',') {
            i++;
        }
        uint32_t end = i;
        while (end > start && (list.ptr[end - 1] == ' ' || list.ptr[end - 1] == '\t')) {
            end--;
        }
        if (end - start == n && strncasecmp(list.ptr + start, word, n) == 0) {
            return true;
        }
    }
    return false;
}

static bool equals(const char *bytes, uint32_t at, uint32_t len, const char *word)
{
    return strlen(word) == len && strncasecmp(bytes + at, word, len) == 0;
}

/* A whole number of at most 18 digits, nothing else. -1 otherwise. */
static int64_t plain_number(const char *s, uint32_t len)
{
    if (len == 0 || len > 18) {
        return -1;
    }
    int64_t n = 0;
    for (uint32_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return -1;
        }
        n = n * 10 + (s[i] - '0');
    }
    return n;
}

/* The fields that frame the message. False: refuse. */
static bool note_field(const char *bytes, const struct http1_field *f, struct http1_head *head,
                       unsigned *hosts)
{
    struct text value = {bytes + f->value, f->value_len};
    if (equals(bytes, f->name, f->name_len, "Content-Length")) {
        int64_t n = plain_number(value.ptr, value.len);
        if (n < 0 || head->content_length >= 0) {
            return false;
        }
        head->content_length = n;
    } else if (equals(bytes, f->name, f->name_len, "Transfer-Encoding")) {
        if (head->chunked || !equals(bytes, f->value, f->value_len, "chunked")) {
            return false;
        }
        head->chunked = true;
    } else if (equals(bytes, f->name, f->name_len, "Connection")) {
        if (http1_list_has(value, "close")) {
            head->close = true;
        } else if (http1_list_has(value, "keep-alive") && head->minor == 0) {
            head->close = false;
        }
    } else if (equals(bytes, f->name, f->name_len, "Host")) {
        ++*hosts;
    } else if (equals(bytes, f->name, f->name_len, "Expect")) {
        head->expect_continue = equals(bytes, f->value, f->value_len, "100-continue");
    }
    return true;
}

/* Fields from `at` to the empty line. 1 done, 0 more, -1 malformed, -2 too many. */
static int read_fields(const char *bytes, size_t len, size_t at, struct http1_head *head,
                       unsigned *hosts)
{
    head->n_fields = 0;
    head->content_length = -1;
    for (;;) {
        if (at + 1 >= len) {
            return at < len && bytes[at] != '\r' && !is_token_char((unsigned char)bytes[at]) ? -1
                                                                                             : 0;
        }
        if (bytes[at] == '\r') {
            if (bytes[at + 1] != '\n') {
                return -1;
            }
            head->head_len = at + 2;
            return head->chunked && head->content_length >= 0 ? -1 : 1;
        }
        size_t name = at;
        while (at < len && is_token_char((unsigned char)bytes[at])) {
            at++;
        }
        if (at == len) {
            return 0;
        }
        if (at == name || bytes[at] != ':') {
            return -1;
        }
        size_t name_len = at - name;
        at++;
        while (at < len && (bytes[at] == ' ' || bytes[at] == '\t')) {
            at++;
        }
        size_t value = at;
        while (at < len && is_value_char((unsigned char)bytes[at])) {
            at++;
        }
        if (at + 1 >= len) {
            return at < len && bytes[at] != '\r' ? -1 : 0;
        }
        if (bytes[at] != '\r' || bytes[at + 1] != '\n') {
            return -1;
        }
        size_t end = at;
        while (end > value && (bytes[end - 1] == ' ' || bytes[end - 1] == '\t')) {
            end--;
        }
        at += 2;
        if (head->n_fields == HTTP1_FIELDS_MAX) {
            return -2;
        }
        struct http1_field *f = &head->fields[head->n_fields++];
        *f = (struct http1_field){(uint32_t)name, (uint32_t)name_len, (uint32_t)value,
                                  (uint32_t)(end - value)};
        if (!note_field(bytes, f, head, hosts)) {
            return -1;
        }
    }
}

/* "METHOD target HTTP/1.x\r\n". Answers as http1_request; *at is behind it. */
static int request_line(const char *bytes, size_t len, size_t max, struct http1_head *head,
                        size_t *at)
{
    size_t i = 0;
    while (i < len && i < 32 && is_token_char((unsigned char)bytes[i])) {
        i++;
    }
    if (i == len && i < 32) {
        return 0;
    }
    if (i == 0 || bytes[i] != ' ') {
        return -400;
    }
    head->method = 0;
    head->method_len = (uint32_t)i;
    size_t target = ++i;
    while (i < len && i <= max && (unsigned char)bytes[i] > 0x20 && bytes[i] != 0x7f) {
        i++;
    }
    if (i > max) {
        return -414;
    }
    if (i == len) {
        return 0;
    }
    if (bytes[i] != ' ' || i == target || (bytes[target] != '/' && bytes[target] != '*')) {
        return -400;
    }
    head->target = (uint32_t)target;
    head->target_len = (uint32_t)(i - target);
    i++;
    static const char version[] = "HTTP/1.";
    for (size_t k = 0; k < sizeof version - 1; k++, i++) {
        if (i == len) {
            return 0;
        }
        if (bytes[i] != version[k]) {
            return k == 5 && bytes[i] >= '2' && bytes[i] <= '9' ? -505 : -400;
        }
    }
    if (i + 3 > len) {
        return 0;
    }
    if ((bytes[i] != '0' && bytes[i] != '1') || bytes[i + 1] != '\r' || bytes[i + 2] != '\n') {
        return -400;
    }
    head->minor = bytes[i] - '0';
    *at = i + 3;
    return 1;
}

int http1_request(const char *bytes, size_t len, const struct http1_limits *limits,
                  struct http1_head *head)
{
    *head = (struct http1_head){.content_length = -1};
    size_t at = 0;
    int line = request_line(bytes, len, limits->max_line, head, &at);
    if (line <= 0) {
        return line;
    }
    head->close = head->minor == 0;
    unsigned hosts = 0;
    int fields = read_fields(bytes, len, at, head, &hosts);
    if (fields == -2 || (fields == 0 && len > limits->max_head) ||
        (fields > 0 && head->head_len > limits->max_head)) {
        return -431;
    }
    if (fields < 0) {
        return -400;
    }
    if (fields == 0) {
        return 0;
    }
    if (hosts > 1 || (hosts == 0 && head->minor == 1)) {
        return -400;
    }
    if (head->chunked) {
        return -411; /* allowed by RFC 9110 8.6, and one framing less to get wrong */
    }
    head->upgrade_websocket = http1_list_has(http1_field(bytes, head, "Connection"), "upgrade") &&
                              http1_list_has(http1_field(bytes, head, "Upgrade"), "websocket");
    return 1;
}

int http1_response(const char *bytes, size_t len, const struct http1_limits *limits,
                   struct http1_head *head)
{
    *head = (struct http1_head){.content_length = -1};
    static const char start[] = "HTTP/1.";
    size_t n = len < sizeof start - 1 ? len : sizeof start - 1;
    if (memcmp(bytes, start, n) != 0) {
        return -1;
    }
    if (len < 13) {
        return 0;
    }
    int64_t status = plain_number(bytes + 9, 3);
    if ((bytes[7] != '0' && bytes[7] != '1') || bytes[8] != ' ' || status < 100 ||
        (bytes[12] != ' ' && bytes[12] != '\r')) {
        return -1;
    }
    head->minor = bytes[7] - '0';
    head->status = (int)status;
    head->close = head->minor == 0;
    size_t at = 12;
    while (at < len && is_value_char((unsigned char)bytes[at])) {
        at++;
    }
    if (at + 1 >= len) {
        return len > limits->max_head ? -1 : 0;
    }
    if (bytes[at] != '\r' || bytes[at + 1] != '\n') {
        return -1;
    }
    unsigned hosts = 0;
    int fields = read_fields(bytes, len, at + 2, head, &hosts);
    if (fields < 0 || (fields == 0 && len > limits->max_head)) {
        return -1;
    }
    return fields;
}

enum {
    CHUNK_SIZE,
    CHUNK_EXTENSION,
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_CR,
    CHUNK_LF,
    TRAILER,
    TRAILER_LF
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One byte outside of chunk data. False: malformed. */
static bool chunk_byte(struct http1_chunks *c, char b)
{
    switch (c->state) {
    case CHUNK_SIZE:
        if (hex_digit(b) >= 0 && c->line < 8) {
            c->left = c->left * 16 + (unsigned)hex_digit(b);
            c->line++;
            return true;
        }
        c->state = b == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
        return c->line > 0 && (b == '\r' || b == ';' || b == ' ');
    case CHUNK_EXTENSION:
        if (b == '\r') {
            c->state = CHUNK_SIZE_LF;
        }
        return is_value_char((unsigned char)b) ? ++c->line < 1024 : b == '\r';
    case CHUNK_SIZE_LF:
        c->state = c->left > 0 ? CHUNK_DATA : TRAILER;
        c->line = 0;
        return b == '\n';
    case CHUNK_CR:
        c->state = CHUNK_LF;
        return b == '\r';
    case CHUNK_LF:
        c->state = CHUNK_SIZE;
        return b == '\n';
    case TRAILER:
        if (b == '\r') {
            c->state = TRAILER_LF;
            return true;
        }
        return is_value_char((unsigned char)b) && ++c->line < 4096;
    case TRAILER_LF:
        c->done = c->line == 0;
        c->line = 0;
        c->state = TRAILER;
        return b == '\n';
    default:
        return false;
    }
}

int64_t http1_chunks_feed(struct http1_chunks *c, char *bytes, size_t *len)
{
    size_t in = 0;
    size_t out = 0;
    while (in < *len && !c->done) {
        if (c->state == CHUNK_DATA) {
            size_t n = *len - in;
            if (n > c->left) {
                n = (size_t)c->left;
            }
            memmove(bytes + out, bytes + in, n);
            in += n;
            out += n;
            c->left -= n;
            if (c->left == 0) {
                c->state = CHUNK_CR;
            }
        } else if (!chunk_byte(c, bytes[in++])) {
            return -1;
        }
    }
    *len = out;
    return (int64_t)in;
}

const char *http1_reason(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].status == status) {
            return table[i].words;
        }
    }
    return "Unknown";
}

/* The generated codec over every message of the product: the same bytes as msgpack-c, both ways;
 * every truncation and many mutations; every refusal names its field. `test_messages --write`
 * rewrites actors/MESSAGES.md, and a test says when that is due. */
#include "actors/messages.h"
#include "core/codec.h"
#include "core/msgdump.h"
#include "core/rng.h"
#include "tests/support/older.h"

#include <msgpack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 8192
#define DOC "actors/MESSAGES.md"

static uint64_t random_bits(struct rng *r)
{
    return rng_next(r) >> rng_below(r, 64); /* every width of number */
}

static void fill_field(const struct message_field *f, uint8_t *at, struct rng *r)
{
    static const char *const words[] = {
        "", "+12125550123", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x93\x9e",
        "0123456789012345678901234567890123456789",
        "a text of more than two hundred and fifty-five bytes, as a note may be: "
        "......................................................................................."
        "......................................................................................."
        "..................................................................................."};
    const uint64_t u = random_bits(r);
    const int64_t i = (u & 1) != 0 ? -(int64_t)(u >> 1) : (int64_t)(u >> 1);
    const double d = rng_unit(r) * 1000 - 500;
    const char *word = words[rng_below(r, sizeof words / sizeof words[0])];
    const struct text t = {word, (uint32_t)strlen(word)};

    switch ((enum field_type)f->type) {
    case FIELD_U8:
        *at = (uint8_t)u;
        break;
    case FIELD_U16:
        memcpy(at, &(uint16_t){(uint16_t)u}, 2);
        break;
    case FIELD_U32:
        memcpy(at, &(uint32_t){(uint32_t)u}, 4);
        break;
    case FIELD_U64:
    case FIELD_HANDLE:
        memcpy(at, &u, 8);
        break;
    case FIELD_I64:
        memcpy(at, &i, 8);
        break;
    case FIELD_FLAG:
        memcpy(at, &(bool){(u & 1) != 0}, sizeof(bool));
        break;
    case FIELD_F64:
        memcpy(at, &d, 8);
        break;
    case FIELD_TEXT:
        memcpy(at, &t, sizeof t);
        break;
    }
}

static void fill(const struct message_desc *d, void *msg, struct rng *r)
{
    memset(msg, 0, d->size);
    for (int i = 0; i < d->n_fields; i++) {
        fill_field(&d->fields()[i], (uint8_t *)msg + d->fields()[i].offset, r);
    }
}

static void reference_field(msgpack_packer *pk, const struct message_field *f, const uint8_t *at)
{
    uint64_t u = 0;
    int64_t i;
    double d;
    struct text t;

    switch ((enum field_type)f->type) {
    case FIELD_U8:
        msgpack_pack_uint8(pk, *at);
        break;
    case FIELD_U16:
        memcpy(&u, at, 2);
        msgpack_pack_uint16(pk, (uint16_t)u);
        break;
    case FIELD_U32:
        memcpy(&u, at, 4);
        msgpack_pack_uint32(pk, (uint32_t)u);
        break;
    case FIELD_U64:
    case FIELD_HANDLE:
        memcpy(&u, at, 8);
        msgpack_pack_uint64(pk, u);
        break;
    case FIELD_I64:
        memcpy(&i, at, 8);
        msgpack_pack_int64(pk, i);
        break;
    case FIELD_FLAG:
        *at != 0 ? msgpack_pack_true(pk) : msgpack_pack_false(pk);
        break;
    case FIELD_F64:
        memcpy(&d, at, 8);
        msgpack_pack_double(pk, d);
        break;
    case FIELD_TEXT:
        memcpy(&t, at, sizeof t);
        msgpack_pack_str(pk, t.len);
        msgpack_pack_str_body(pk, t.ptr, t.len);
        break;
    }
}

/* The same map by msgpack-c; `turn` rotates the keys, `extra` adds unknown ones. */
static void reference(const struct message_desc *d, const void *msg, msgpack_sbuffer *out,
                      unsigned turn, bool extra)
{
    msgpack_packer pk;

    msgpack_sbuffer_clear(out);
    msgpack_packer_init(&pk, out, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, d->n_fields + (extra ? 1u : 0u));
    for (unsigned k = 0; k < d->n_fields; k++) {
        const struct message_field *f = &d->fields()[(k + turn) % d->n_fields];
        msgpack_pack_str_with_body(&pk, f->name, f->name_len);
        reference_field(&pk, f, (const uint8_t *)msg + f->offset);
        if (extra && k == 0) {
            msgpack_pack_str_with_body(&pk, "a key of next year", 18);
            msgpack_pack_array(&pk, 3);
            msgpack_pack_map(&pk, 1);
            msgpack_pack_nil(&pk);
            msgpack_pack_double(&pk, 0.5);
            msgpack_pack_bin(&pk, 300);
            msgpack_pack_bin_body(&pk, (char[300]){0}, 300);
            msgpack_pack_ext_with_body(&pk, "1234", 4, 9);
        }
    }
}

static size_t field_size(uint8_t type)
{
    static const size_t sizes[] = {1, 2, 4, 8, 8, sizeof(bool), 8, 8, sizeof(struct text)};

    return sizes[type];
}

static bool same(const struct message_desc *d, const void *a, const void *b)
{
    for (int i = 0; i < d->n_fields; i++) {
        const struct message_field *f = &d->fields()[i];
        const uint8_t *x = (const uint8_t *)a + f->offset;
        const uint8_t *y = (const uint8_t *)b + f->offset;
        if (f->type == FIELD_TEXT) {
            struct text s;
            struct text t;
            memcpy(&s, x, sizeof s);
            memcpy(&t, y, sizeof t);
            if (s.len != t.len || memcmp(s.ptr, t.ptr, s.len) != 0) {
                return false;
            }
        } else if (memcmp(x, y, field_size(f->type)) != 0) {
            return false;
        }
    }
    return true;
}

static void *block(const struct message_desc *d)
{
    return calloc(1, d->size + 1u);
}

static void check_one(const struct message_desc *d, struct rng *r, msgpack_sbuffer *ref)
{
    static uint8_t bytes[ROOM];
    char why[200] = "";
    void *msg = block(d);
    void *back = block(d);
    void *copy;
    size_t n;

    fill(d, msg, r);
    n = message_pack(d, msg, bytes, sizeof bytes);
    reference(d, msg, ref, 0, false);
    assert_int_equal(n, ref->size);
    assert_memory_equal(bytes, ref->data, n);
    assert_true(n <= d->bound(msg));
    assert_int_equal(message_pack(d, msg, bytes, n - 1), 0);
    assert_int_equal(message_unpack(d, bytes, n, back, why, sizeof why), 0);
    assert_true(same(d, msg, back));
    for (int round = 0; round < 2; round++) { /* the general reader, and any order */
        memset(back, 0, d->size);
        reference(d, msg, ref, round == 0 ? 0 : (unsigned)rng_below(r, d->n_fields), round == 1);
        if (codec_read(d, (const uint8_t *)ref->data, ref->size, back, why, sizeof why) != 0) {
            fail_msg("%s", why);
        }
        assert_true(same(d, msg, back));
    }
    copy = malloc(message_bytes(d, msg) + 1);
    message_copy(d, msg, copy);
    assert_true(same(d, msg, copy));
    free(copy);
    free(back);
    free(msg);
}

static void round_trips(void **state)
{
    msgpack_sbuffer ref;
    struct rng r = rng_stream(3, 0);

    (void)state;
    msgpack_sbuffer_init(&ref);
    for (unsigned id = 0; id < dialer_catalogue.n_ids; id++) {
        const struct message_desc *d = dialer_catalogue.by_id[id];
        for (int i = 0; d != NULL && i < 300; i++) {
            assert_ptr_equal(message_find(&dialer_catalogue, d->type), d);
            check_one(d, &r, &ref);
        }
    }
    assert_null(message_find(&dialer_catalogue, 3));
    assert_null(message_find(&dialer_catalogue, 65535));
    msgpack_sbuffer_destroy(&ref);
}

/* `bytes` in a heap block of exactly that size: AddressSanitizer sees any look beyond it. */
static int unpack_exactly(const struct message_desc *d, const uint8_t *bytes, size_t n, void *msg,
                          char *why, size_t why_size)
{
    uint8_t *tight = malloc(n + (n == 0 ? 1 : 0));
    int rv;

    memcpy(tight, bytes, n);
    rv = message_unpack(d, tight, n, msg, why, why_size);
    free(tight);
    return rv;
}

static void every_truncation(void **state)
{
    static uint8_t bytes[ROOM];
    struct rng r = rng_stream(4, 0);

    (void)state;
    for (unsigned id = 0; id < dialer_catalogue.n_ids; id++) {
        const struct message_desc *d = dialer_catalogue.by_id[id];
        void *msg;
        size_t n;
        if (d == NULL) {
            continue;
        }
        msg = block(d);
        fill(d, msg, &r);
        n = message_pack(d, msg, bytes, sizeof bytes);
        for (size_t cut = 0; cut < n; cut++) {
            char why[200] = "";
            assert_int_equal(unpack_exactly(d, bytes, cut, msg, why, sizeof why), -1);
            assert_memory_equal(why, d->name, strlen(d->name));
        }
        free(msg);
    }
}

static void mutations(void **state)
{
    static uint8_t bytes[ROOM];
    char text[256];
    struct rng r = rng_stream(5, 0);
    unsigned refused = 0;

    (void)state;
    for (int i = 0; i < 40000; i++) {
        const struct message_desc *d = NULL;
        void *msg;
        size_t n;
        while (d == NULL) {
            d = dialer_catalogue.by_id[rng_below(&r, dialer_catalogue.n_ids)];
        }
        msg = block(d);
        fill(d, msg, &r);
        n = message_pack(d, msg, bytes, sizeof bytes);
        for (uint64_t k = rng_below(&r, 4) + 1; k != 0; k--) {
            bytes[rng_below(&r, n)] = (uint8_t)rng_next(&r);
        }
        refused += unpack_exactly(d, bytes, n, msg, text, sizeof text) != 0 ? 1 : 0;
        (void)msgdump(bytes, n, text, sizeof text);
        free(msg);
    }
    assert_true(refused > 10000);
}

static void refused(const struct message_desc *d, const char *bytes, size_t n, const char *part)
{
    char why[200] = "";
    void *msg = block(d);

    assert_int_equal(unpack_exactly(d, (const uint8_t *)bytes, n, msg, why, sizeof why), -1);
    if (strstr(why, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, why);
    }
    free(msg);
}

#define REFUSED(d, bytes, part) refused(d, bytes, sizeof(bytes) - 1, part)

static void refusals_name_the_field(void **state)
{
    const struct message_desc *load = message_find(&dialer_catalogue, MSG_load); /* u8, u64 */
    const struct message_desc *dial = message_find(&dialer_catalogue, MSG_dial);
    char deep[64] = "\x83\xa4kind\x01\xa2id\x02\xa1x";

    (void)state;
    REFUSED(load, "\x90", "load: not a map");
    REFUSED(load, "\x81\xa4kind\x01", "load.id: missing");
    REFUSED(load, "\x82\xa4kind\x01\xa2id\xc3", "load.id: type 0xc3 is no u64");
    REFUSED(load, "\x82\xa4kind\xcd\x01\x00\xa2id\x01", "load.kind: outside of u8");
    REFUSED(load, "\x82\xa4kind\xff\xa2id\x01", "load.kind: outside of u8");
    REFUSED(load, "\x82\xa4kind\x01\xa2id\xd3\xff\xff\xff\xff\xff\xff\xff\xff", "load.id: outside");
    REFUSED(load, "\x83\xa4kind\x01\xa2id\x01\xa2id\x01", "load.id: there twice");
    REFUSED(load, "\x82\xa4kind\x01\xa2id\x01\xc0", "behind the map");
    REFUSED(load, "\x82\xa4kind\x01\x05\x01", "a key is cut off or no text");
    REFUSED(load, "\x83\xa4kind\x01\xa2id\x01\xa1x\xdf\xff\xff\xff\xff", "unknown key \"x\"");
    memset(deep + 13, 0x91, 9);
    refused(load, deep, 23, "too deep");
    REFUSED(dial,
            "\x84\xa6"
            "client\x01\xa7request\x01\xa6number\xa2\xc3\x28\xa4lead\x00",
            "dial.number: not UTF-8");
    REFUSED(dial,
            "\x84\xa6"
            "client\x01\xa7request\x01\xa6number\x01\xa4lead\x00",
            "dial.number: type 0x01 is no text");
}

/* With `known` fields: those are as they were, the others are nothing. The bus takes none of it. */
static void read_older(const struct message_desc *d, const void *msg, unsigned known)
{
    static uint8_t whole[ROOM], older[ROOM + 2], again[ROOM + 2];
    static const char nothing[sizeof(struct text)];
    void *back = block(d);
    size_t n = message_pack(d, msg, whole, sizeof whole);
    const size_t len = older_record(d, whole, n, known, older);
    char why[200] = "";

    memset(back, 0x5a, d->size);
    assert_int_equal(message_unpack_kept(d, older, len, known, back, why, sizeof why), 0);
    n = message_pack(d, back, whole, sizeof whole);
    assert_int_equal(older_record(d, whole, n, known, again), len);
    assert_memory_equal(again, older, len);
    for (unsigned i = known; i < d->n_fields; i++) {
        const struct message_field *f = &d->fields()[i];
        assert_memory_equal((char *)back + f->offset, nothing, field_size(f->type));
    }
    if (known < d->n_fields) {
        assert_int_equal(message_unpack(d, older, len, back, why, sizeof why), -1);
        assert_int_equal(message_unpack_kept(d, older, len, known + 1, back, why, sizeof why), -1);
        assert_non_null(strstr(why, ": missing"));
    }
    free(back);
}

static void an_older_programs_record(void **state)
{
    struct rng r = rng_stream(6, 0);

    (void)state;
    for (unsigned id = 0; id < dialer_catalogue.n_ids; id++) {
        const struct message_desc *d = dialer_catalogue.by_id[id];
        if (d == NULL) {
            continue;
        }
        void *msg = block(d);
        fill(d, msg, &r);
        for (unsigned known = 0; known <= d->n_fields; known++) {
            read_older(d, msg, known);
        }
        free(msg);
    }
}

static void kept(const char *bytes, size_t n, unsigned least, const char *part)
{
    const struct message_desc *d = message_find(&dialer_catalogue, MSG_leg_over);
    char why[200] = "";
    void *msg = block(d);

    assert_int_equal(message_unpack_kept(d, (const uint8_t *)bytes, n, least, msg, why, sizeof why),
                     -1);
    if (strstr(why, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, why);
    }
    free(msg);
}

#define KEPT_REFUSED(bytes, least, part) kept(bytes, sizeof(bytes) - 1, least, part)

/* leg_over: leg, cause, answered_wall_ms, at_wall_ms. */
static void a_newer_programs_record(void **state)
{
    (void)state;
    KEPT_REFUSED("\x85\xa3leg\xa1"
                 "a\xa5"
                 "cause\x01\xb0"
                 "answered_wall_ms\x01\xaa"
                 "at_wall_ms\x01\xa3new\x01",
                 4, "leg_over: key \"new\" is not known here: a newer program's");
    /* one in the middle is missing: nobody ever wrote that */
    KEPT_REFUSED("\x83\xa3leg\xa1"
                 "a\xb0"
                 "answered_wall_ms\x01\xaa"
                 "at_wall_ms\x01",
                 1, "leg_over.cause: missing");
}

static void utf8(void **state)
{
    static const char *const bad[] = {"\x80",         "\xc0\xaf",         "\xe0\x80\x80",
                                      "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
                                      "\xc3",         "12345678\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(codec_is_utf8(bad[i], strlen(bad[i])));
    }
    assert_true(codec_is_utf8("plain\0nul", 9));
    assert_true(codec_is_utf8("\xf4\x8f\xbf\xbf 12345678 \xc2\x80", 16));
}

static void dumps(void **state)
{
    static const uint8_t map[] = "\x83\xa1"
                                 "a\xcd\x01\x00\xa1"
                                 "b\x92\xc3\xfb\xa1"
                                 "c\xa3x\n\"";
    char out[128];
    char tiny[8];

    (void)state;
    (void)msgdump(map, sizeof map - 1, out, sizeof out);
    assert_string_equal(out, "{\"a\":256,\"b\":[true,-5],\"c\":\"x\\u000a\\u0022\"}");
    assert_int_equal(msgdump(map, sizeof map - 1, tiny, sizeof tiny), 7);
    (void)msgdump((const uint8_t *)"\xdf\xff\xff\xff\xff", 5, out, sizeof out);
    assert_string_equal(out, "<not msgpack: 5 bytes>");
}

/* --- the table in the docs ------------------------------------------------------------------- */

static void write_doc(FILE *f)
{
    static const char *const policies[] = {"must", "latest", "drop"};

    (void)fputs(
        "# Messages\n\nGenerated from messages.def by `test_messages --write`; do not edit.\n"
        "Each travels as one msgpack map, the field names are its keys.\n",
        f);
    for (unsigned id = 0; id < dialer_catalogue.n_ids; id++) {
        const struct message_desc *d = dialer_catalogue.by_id[id];
        if (d == NULL) {
            continue;
        }
        (void)fprintf(f,
                      "\n## %u %s (%s)\n\n%s\n\n| field | type | meaning |\n| --- | --- | --- |\n",
                      id, d->name, policies[d->policy], d->sentence);
        for (int i = 0; i < d->n_fields; i++) {
            const struct message_field *m = &d->fields()[i];
            (void)fprintf(f, "| %s | %s | %s |\n", m->name, field_type_name(m->type), m->sentence);
        }
    }
}

static void doc_is_current(void **state)
{
    char *want = NULL;
    size_t n = 0;
    FILE *mem = open_memstream(&want, &n);
    FILE *f = fopen(DOC, "r");
    char *have = calloc(1, 1u << 20);

    (void)state;
    assert_non_null(mem);
    write_doc(mem);
    (void)fclose(mem);
    assert_non_null(f);
    assert_true(fread(have, 1, (1u << 20) - 1, f) > 0);
    (void)fclose(f);
    if (strcmp(want, have) != 0) {
        fail_msg("%s is out of date: run test_messages --write", DOC);
    }
    free(have);
    free(want);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(mutations),
        cmocka_unit_test(refusals_name_the_field),
        cmocka_unit_test(utf8),
        cmocka_unit_test(dumps),
        cmocka_unit_test(doc_is_current),
        cmocka_unit_test(an_older_programs_record),
        cmocka_unit_test(a_newer_programs_record),
    };

    if (argc == 2 && strcmp(argv[1], "--write") == 0) {
        FILE *f = fopen(DOC, "w");
        if (f == NULL) {
            perror(DOC);
            return 1;
        }
        write_doc(f);
        return fclose(f) == 0 ? 0 : 1;
    }
    return cmocka_run_group_tests_name("messages", tests, NULL, NULL);
}

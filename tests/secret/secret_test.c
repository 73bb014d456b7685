/* Passwords, tokens and permits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "adapters/secret/secret.h"

static struct text text_of(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static int setup(void **state)
{
    (void)state;
    return secret_init();
}

static void password_fits_its_hash_only(void **state)
{
    char hash[SECRET_HASH_SIZE], again[SECRET_HASH_SIZE];

    (void)state;
    assert_int_equal(secret_password_hash(text_of("correct horse"), hash), 0);
    assert_int_equal(strncmp(hash, "$argon2id$", 10), 0);
    assert_true(secret_password_verify(text_of(hash), text_of("correct horse")));
    assert_false(secret_password_verify(text_of(hash), text_of("correct horsf")));
    assert_false(secret_password_verify(text_of(hash), text_of("")));
    assert_false(secret_password_verify(text_of(""), text_of("correct horse")));
    assert_false(secret_password_verify(text_of("$argon2id$rubbish"), text_of("correct horse")));
    assert_int_equal(secret_password_hash(text_of("correct horse"), again), 0);
    assert_string_not_equal(hash, again);
}

static void password_limits(void **state)
{
    char hash[SECRET_HASH_SIZE], text[SECRET_PASSWORD_MAX + 1];

    (void)state;
    memset(text, 'a', sizeof text);
    assert_int_equal(secret_password_hash(text_of(""), hash), -1);
    assert_int_equal(secret_password_hash((struct text){text, sizeof text}, hash), -1);
}

static void tokens_differ(void **state)
{
    char a[SECRET_TOKEN_SIZE], b[SECRET_TOKEN_SIZE];

    (void)state;
    secret_token(a);
    secret_token(b);
    assert_int_equal(strlen(a), SECRET_TOKEN_SIZE - 1);
    assert_int_equal(strspn(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                     SECRET_TOKEN_SIZE - 1);
    assert_string_not_equal(a, b);
    assert_true(secret_equal(text_of(a), text_of(a)));
    assert_false(secret_equal(text_of(a), text_of(b)));
    assert_false(secret_equal(text_of(a), text_of("")));
}

static void permit_covers_key_id_and_target(void **state)
{
    struct secret_key key, other;
    uint64_t permit;

    (void)state;
    secret_key_new(&key);
    secret_key_new(&other);
    permit = secret_permit(&key, text_of("att-1"), text_of("+12125550123"));
    assert_true(permit != 0);
    assert_true(permit == secret_permit(&key, text_of("att-1"), text_of("+12125550123")));
    assert_true(permit != secret_permit(&key, text_of("att-2"), text_of("+12125550123")));
    assert_true(permit != secret_permit(&key, text_of("att-1"), text_of("+12125550124")));
    assert_true(permit != secret_permit(&key, text_of("att-"), text_of("1+12125550123")));
    assert_true(permit != secret_permit(&other, text_of("att-1"), text_of("+12125550123")));
}

static void digest_is_blake2b(void **state)
{
    char hex[SECRET_DIGEST_SIZE];

    (void)state;
    secret_digest("abc", 3, hex);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    struct secret_digesting d;
    secret_digest_begin(&d);
    secret_digest_add(&d, "a", 1);
    secret_digest_add(&d, "", 0);
    secret_digest_add(&d, "bc", 2);
    secret_digest_end(&d, hex);
    assert_string_equal(hex, "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(password_fits_its_hash_only),
        cmocka_unit_test(password_limits),
        cmocka_unit_test(tokens_differ),
        cmocka_unit_test(permit_covers_key_id_and_target),
        cmocka_unit_test(digest_is_blake2b),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}

/*
 * secret.c - owns libsodium. See secret.h.
 */
#include "adapters/secret/secret.h"

#include <string.h>

#include <sodium.h>

_Static_assert(SECRET_HASH_SIZE >= crypto_pwhash_STRBYTES, "a hash must fit");
_Static_assert(sizeof(struct secret_key) == crypto_shorthash_KEYBYTES, "the permit's key");

#define ID_MAX 64
#define TARGET_MAX 256

int secret_init(void)
{
    return sodium_init() < 0 ? -1 : 0;
}

void secret_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

void secret_token(char out[SECRET_TOKEN_SIZE])
{
    unsigned char raw[32];
    _Static_assert(SECRET_TOKEN_SIZE ==
                       sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                   "token");

    randombytes_buf(raw, sizeof raw);
    sodium_bin2base64(out, SECRET_TOKEN_SIZE, raw, sizeof raw,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(raw, sizeof raw);
}

int secret_password_hash(struct text password, char out[SECRET_HASH_SIZE])
{
    if (password.len == 0 || password.len > SECRET_PASSWORD_MAX)
        return -1;
    memset(out, 0, SECRET_HASH_SIZE);
    return crypto_pwhash_str_alg(out, password.ptr, password.len,
                                 crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                 crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
}

bool secret_password_verify(struct text hash, struct text password)
{
    /* The hash of a random password that nobody kept: what an unknown user is compared with. */
    static const char nobody[] = "$argon2id$v=19$m=65536,t=2,p=1$x55T8AmJ2YdIsrOLwn/m3Q$"
                                 "M9bgsOdUY5zscQODENWO69bFr1e1rEI8waMfgwzff0I";
    /* The library wants the whole field, zeros behind the text included. */
    char field[crypto_pwhash_STRBYTES] = {0};
    bool known = hash.len > 0 && hash.len < sizeof field;

    if (password.len == 0 || password.len > SECRET_PASSWORD_MAX)
        return false;
    memcpy(field, known ? hash.ptr : nobody, known ? hash.len : sizeof nobody);
    return crypto_pwhash_str_verify(field, password.ptr, password.len) == 0 && known;
}

bool secret_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || sodium_memcmp(a.ptr, b.ptr, a.len) == 0);
}

void secret_digest(const void *data, size_t size, char out[SECRET_DIGEST_SIZE])
{
    unsigned char raw[(SECRET_DIGEST_SIZE - 1) / 2];

    crypto_generichash(raw, sizeof raw, data, size, NULL, 0);
    sodium_bin2hex(out, SECRET_DIGEST_SIZE, raw, sizeof raw);
}

static crypto_generichash_state *digesting(struct secret_digesting *d)
{
    _Static_assert(sizeof d->state >= sizeof(crypto_generichash_state), "room for the library's");
    return (crypto_generichash_state *)(void *)d->state;
}

void secret_digest_begin(struct secret_digesting *d)
{
    crypto_generichash_init(digesting(d), NULL, 0, (SECRET_DIGEST_SIZE - 1) / 2);
}

void secret_digest_add(struct secret_digesting *d, const void *data, size_t size)
{
    crypto_generichash_update(digesting(d), data, size);
}

void secret_digest_end(struct secret_digesting *d, char out[SECRET_DIGEST_SIZE])
{
    unsigned char raw[(SECRET_DIGEST_SIZE - 1) / 2];

    crypto_generichash_final(digesting(d), raw, sizeof raw);
    sodium_bin2hex(out, SECRET_DIGEST_SIZE, raw, sizeof raw);
}

void secret_key_new(struct secret_key *key)
{
    crypto_shorthash_keygen(key->bytes);
}

uint64_t secret_permit(const struct secret_key *key, struct text id, struct text target)
{
    /* A length before each part: "a" + "bc" and "ab" + "c" must differ. What does not fit has no
     * valid permit, and ids and dial strings of ours always fit. */
    unsigned char text[2 + ID_MAX + TARGET_MAX];
    unsigned char hash[crypto_shorthash_BYTES];
    uint64_t permit;
    size_t n = 0;

    if (id.len > ID_MAX || target.len > TARGET_MAX)
        return 0;
    text[n++] = (unsigned char)id.len;
    if (id.len)
        memcpy(text + n, id.ptr, id.len);
    n += id.len;
    text[n++] = (unsigned char)target.len;
    if (target.len)
        memcpy(text + n, target.ptr, target.len);
    n += target.len;
    crypto_shorthash(hash, text, n, key->bytes);
    memcpy(&permit, hash, sizeof permit);
    return permit ? permit : 1;
}

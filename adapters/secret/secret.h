/*
 * secret.h - passwords, tokens, permits.
 *
 * The one door to the cryptographic library. Every function may be called from any thread after
 * secret_init(). Nothing in here logs, and no buffer with a secret in it is left behind.
 */
#ifndef ADAPTERS_SECRET_SECRET_H
#define ADAPTERS_SECRET_SECRET_H

#include "core/types.h"

#define SECRET_HASH_SIZE 128  /* a password hash as text, with its end */
#define SECRET_TOKEN_SIZE 44  /* 32 random bytes in base64url, with the end */
#define SECRET_DIGEST_SIZE 65 /* 32 bytes in hexadecimal, with the end */
#define SECRET_PASSWORD_MAX 256

/* Call once before anything else, from the main thread. 0, or -1: no randomness to be had. */
int secret_init(void);

void secret_random(void *out, size_t size);

/* A token nobody can guess: 43 characters of [A-Za-z0-9_-]. */
void secret_token(char out[SECRET_TOKEN_SIZE]);

/* Argon2id with a salt of its own. Takes some 100 ms and 64 MB. 0, or -1: password empty, longer
 * than SECRET_PASSWORD_MAX, or no memory. */
int secret_password_hash(struct text password, char out[SECRET_HASH_SIZE]);

/* Does the password belong to the hash? An empty hash (no such user) costs the same time and is
 * never right, so that the time taken does not tell which users exist. */
bool secret_password_verify(struct text hash, struct text password);

/* A password out of its file, without the line's end; NUL-terminated. -1 with errno. */
int secret_file_read(const char *path, char *out, size_t size);

/* Equal in content, in a time that depends on the lengths only. */
bool secret_equal(struct text a, struct text b);

/* BLAKE2b-256 of some bytes, in hexadecimal. */
void secret_digest(const void *data, size_t size, char out[SECRET_DIGEST_SIZE]);

/* The same of bytes that come one after the other: begin, any number of add, end once. */
struct secret_digesting {
    _Alignas(64) unsigned char state[384]; /* the library's own */
};

void secret_digest_begin(struct secret_digesting *d);
void secret_digest_add(struct secret_digesting *d, const void *data, size_t size);
void secret_digest_end(struct secret_digesting *d, char out[SECRET_DIGEST_SIZE]);

/* A key that lives as long as the process and never leaves it. */
struct secret_key {
    unsigned char bytes[16];
};

void secret_key_new(struct secret_key *key);

/* A permit says: the row of this attempt (or leg) is committed, for this number (or endpoint).
 * The store's adapter makes it after the commit, the telephony adapter makes it again and compares
 * before anything leaves. Never 0, so that 0 can mean "none". */
uint64_t secret_permit(const struct secret_key *key, struct text id, struct text target);

#endif

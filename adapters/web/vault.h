/*
 * vault.h - who somebody is: sessions, tickets and one-time links.
 *
 * A token is 256 random bits that only its holder has; here lives its digest. Sessions are found
 * again and again until they end; tickets and links are taken once. Loop thread only.
 */
#ifndef ADAPTERS_WEB_VAULT_H
#define ADAPTERS_WEB_VAULT_H

#include "actors/types.h"
#include "adapters/secret/secret.h"

struct identity {
    uint64_t agent; /* 0: nobody's, may look only */
    uint64_t account;
    enum role role;
    uint64_t session; /* number of the session it came from, 0 none */
    char name[128];
};

enum token_use { TOKEN_SESSION = 1, TOKEN_TICKET = 2, TOKEN_LINK = 3 };

struct vault;

/* At most `limit` tokens of each use; the oldest gives way. NULL: no memory. */
struct vault *vault_new(size_t limit);
void vault_free(struct vault *v);

/* Make a token good for valid_us from now. A new session gets its own number. -1: no memory. */
int vault_make(struct vault *v, enum token_use use, const struct identity *who, int64_t valid_us,
               int64_t now_us, char out[SECRET_TOKEN_SIZE]);
/* A session that an earlier daemon made, by its token's digest. *who gets its number. -1: no
 * memory. */
int vault_adopt(struct vault *v, const char digest[SECRET_DIGEST_SIZE], struct identity *who,
                int64_t valid_us, int64_t now_us);
/* Whose session is it? False: nobody's (unknown, ended). */
bool vault_session(struct vault *v, struct text token, int64_t now_us, struct identity *out);
/* Use up a ticket or link. False: unknown, used, too old, or its session has ended. */
bool vault_take(struct vault *v, enum token_use use, struct text token, int64_t now_us,
                struct identity *out);
/* End a session, and with it its tickets. Returns its number, 0: there was none. */
uint64_t vault_end(struct vault *v, struct text token, int64_t now_us);
/* End everything that an agent could come in with. */
void vault_end_agent(struct vault *v, uint64_t agent);

#endif

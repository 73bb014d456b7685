// What an outside observer of the telephone network would have seen: one JSON line for each
// originate, answer, bridge change, message and end, with the simulator's own clock. README.md
// lists the lines.
#include <string.h>

#include "adapters/sim/model.h"

// dialerd's prefixes: att- a customer's attempt, leg- every other leg.
static const char *kind_of(const char *id)
{
    if (strncmp(id, "att-", 4) == 0)
        return "customer";
    return strncmp(id, "leg-", 4) == 0 ? "leg" : "other";
}

void witness_open(struct pbx *pbx, const char *what, const char *id)
{
    struct json_writer *w = &pbx->line;
    json_writer_reset(w);
    json_open_object(w, NULL);
    json_put_int(w, "t_us", pbx->now_us);
    json_put_int(w, "wall_ms", pbx_wall_ms(pbx));
    json_put_str(w, "what", what);
    if (id[0] != '\0') {
        json_put_str(w, "id", id);
        json_put_str(w, "kind", kind_of(id));
    }
}

void witness_close(struct pbx *pbx)
{
    json_close_object(&pbx->line);
    size_t len;
    const char *text = json_writer_end(&pbx->line, &len);
    if (text != NULL && pbx->hooks.witness != NULL)
        pbx->hooks.witness(pbx->hooks.ctx, text, len);
}

void witness_plain(struct pbx *pbx, const char *what, const char *id)
{
    witness_open(pbx, what, id);
    witness_close(pbx);
}

void witness_word(struct pbx *pbx, const char *what, const char *id, const char *key,
                  const char *value)
{
    witness_open(pbx, what, id);
    json_put_str(&pbx->line, key, value);
    witness_close(pbx);
}

void witness_bridge(struct pbx *pbx, const char *what, const struct chan *c, const struct bridge *b)
{
    witness_open(pbx, what, c->id);
    json_put_str(&pbx->line, "bridge", b->id);
    json_open_array(&pbx->line, "members");
    for (const struct chan *m = b->members; m != NULL; m = m->bridge_next)
        json_put_str(&pbx->line, NULL, m->id);
    json_close_array(&pbx->line);
    witness_close(pbx);
}

/*
 * choice.c - see choice.h.
 */
#include "adapters/store/choice.h"

#include "adapters/net/json.h"
#include "adapters/store/rules.h"

#define ENTRY_BYTES 64 /* the names of the members and a number */
#define BYTE_BYTES 6   /* what one byte of a text becomes at most */

enum choice choice_among(struct matches *m)
{
    if (m->exact > 0)
        m->n = m->exact;
    return m->n <= 1 ? CHOICE_NONE : m->exact > 0 ? CHOICE_NUMBER : CHOICE_TAIL;
}

bool choice_offers(const struct matches *m, uint64_t lead)
{
    size_t i;

    for (i = 0; i < m->n && m->at[i].lead != lead;)
        i++;
    return i < m->n;
}

size_t choice_size(const struct matches *m)
{
    size_t size = ENTRY_BYTES, i;

    for (i = 0; i < m->n; i++)
        size += ENTRY_BYTES + BYTE_BYTES * ((size_t)m->at[i].name.len + m->at[i].list.len);
    return size;
}

struct text choice_write(const struct matches *m, char *out, size_t size)
{
    struct json_writer w;
    const char *text;
    size_t i, len = 0;

    json_writer_init(&w, out, size);
    json_open_array(&w, NULL);
    for (i = 0; i < m->n; i++) {
        json_open_object(&w, NULL);
        json_put_uint(&w, "lead", m->at[i].lead);
        json_put_text(&w, "name", m->at[i].name);
        json_put_text(&w, "list", m->at[i].list);
        json_close_object(&w);
    }
    json_close_array(&w);
    text = json_writer_end(&w, &len);
    return text ? (struct text){text, (uint32_t)len} : text_from("[]");
}

static struct settle_effect no(uint8_t result, const char *text)
{
    return (struct settle_effect){.result = result, .text = text};
}

/* What rows do is the table's to say. */
static struct settle_effect move(const struct msg_settle_lead *req, const struct settle_facts *f)
{
    struct settle_effect e = {.result = RESULT_OK, .text = "", .moves = true};

    e.left = row_next(f->row_status, f->row_final, RE_NOT_SENT);
    e.left_due_ms = f->row_due_ms < DUE_NEVER ? f->row_due_ms : req->at_wall_ms;
    e.taken = row_next(f->asked_status, f->asked_final, RE_ASKED_FOR);
    if (f->row_status == ROW_ANSWERED)
        e.taken = row_next(e.taken.status, e.taken.final, RE_PICKED_UP);
    return e;
}

struct settle_effect settle_decide(const struct msg_settle_lead *req, const struct settle_facts *f)
{
    if (!f->found)
        return no(RESULT_NOT_FOUND, "no such call");
    if (f->agent != req->agent)
        return no(RESULT_REFUSED, "only the agent who has the call may choose its lead");
    if (f->choice == CHOICE_NONE && f->lead == req->lead)
        return (struct settle_effect){.result = RESULT_OK, .text = "", .repeated = true};
    if (f->choice == CHOICE_NONE)
        return no(RESULT_CONFLICT, "the call has its lead already");
    if (!f->live)
        return no(RESULT_REFUSED, "the call is over");
    if (f->disposed)
        return no(RESULT_CONFLICT, "the call has its disposition already");
    if (!f->offered)
        return no(RESULT_NOT_FOUND, "that lead is none of those who have the number");
    if (f->lead == req->lead)
        return (struct settle_effect){.result = RESULT_OK, .text = ""};
    if (!row_next(f->asked_status, f->asked_final, RE_ASKED_FOR).moves)
        return no(RESULT_CONFLICT, "that lead is in another call");
    return move(req, f);
}

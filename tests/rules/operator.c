/* operator.c - see stack.h: dialerctl, the exports, the witness; campaigns and leads. */
#include "tests/daemon/spawn.h"
#include "tests/rules/stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *output; /* of the last ctl */
static char *complaint;
static struct json row;

static bool row_made;

static int parse(const char *text)
{
    if (!row_made) {
        json_init(&row, 1024u * 1024u);
        row_made = true;
    }
    return json_parse(&row, text, strlen(text));
}

void operator_leave(void)
{
    if (row_made) {
        json_free(&row);
    }
    free(output);
    output = NULL;
    free(complaint);
    complaint = NULL;
}

static int run_ctl(char *words)
{
    char *argv[48] = {(char *)program("DIALERCTL"), "--socket", (char *)in_folder("ctl"), "--json"};
    unsigned n = 4;
    char *rest = NULL;
    const int64_t until_us = net_now_us() + 5 * US_PER_S;
    struct ran r;

    for (char *word = strtok_r(words, "|", &rest); word != NULL && n < 47;
         word = strtok_r(NULL, "|", &rest)) {
        argv[n] =
            n > 0 && strcmp(argv[n - 1], "--password-file") == 0 ? (char *)in_folder(word) : word;
        n++;
    }
    /* 5: not reachable now; at its start the daemon may listen before it has its store. */
    for (r = ran(NULL, argv); r.status == 5 && net_now_us() < until_us; r = ran(NULL, argv)) {
        ran_free(&r);
        net_loop_run_once(loop, 50 * US_PER_MS);
    }
    free(output);
    free(complaint);
    output = r.out;
    complaint = r.err;
    return r.status;
}

const char *ctl(const char *format, ...)
{
    char words[1024];
    char line[1024];
    va_list args;
    int status;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    memcpy(line, words, sizeof line);
    status = run_ctl(words);
    if (status != 0) {
        fail_msg("dialerctl %s: %d %s", line, status, complaint);
    }
    return output;
}

int ctl_status(const char *format, ...)
{
    char words[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    return run_ctl(words);
}

const char *ctl_said(void)
{
    return complaint[0] != '\0' ? complaint : output;
}

static json_ref ctl_row(void)
{
    json_ref at = JSON_ROOT;

    if (parse(output) != 0) {
        fail_msg("no JSON: %s", output);
    }
    if (json_type(&row, at) == JSON_ARRAY) {
        at = json_first(&row, at);
    }
    return json_get(&row, at, "row") != JSON_NONE &&
                   json_type(&row, json_get(&row, at, "row")) == JSON_OBJECT
               ? json_get(&row, at, "row")
               : at;
}

const char *ctl_text(const char *name)
{
    const json_ref at = ctl_row();

    return json_str(&row, json_get(&row, at, name), "");
}

int64_t ctl_number(const char *name)
{
    const json_ref at = ctl_row();
    int64_t n = 0;

    (void)json_int(&row, json_get(&row, at, name), &n);
    return n;
}

const char *call_text(const char *attempt, const char *name)
{
    char *rest = NULL;
    char *copy = strdup(ctl("export|calls|--format|jsonl"));
    const char *value = "";

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(parse(line), 0);
        if (json_is(&row, json_get(&row, JSON_ROOT, "attempt"), attempt)) {
            value = json_str(&row, json_get(&row, JSON_ROOT, name), "");
            break;
        }
    }
    free(copy);
    return value;
}

bool agent_was(int64_t agent, const char *reason)
{
    char *rest = NULL;
    char *copy = strdup(ctl("export|agents|--format|jsonl"));
    bool was = false;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int64_t who = 0;
        assert_int_equal(parse(line), 0);
        (void)json_int(&row, json_get(&row, JSON_ROOT, "agent"), &who);
        was = was || (who == agent && json_is(&row, json_get(&row, JSON_ROOT, "reason"), reason));
    }
    free(copy);
    return was;
}

/* --- the witness ---------------------------------------------------------------------------- */

unsigned witnessed(const char *what, const char *word)
{
    char *text = read_file(stack_witness());
    char *rest = NULL;
    char key[64];
    unsigned n = 0;

    snprintf(key, sizeof key, "\"what\":\"%s\"", what);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        n += strstr(line, key) != NULL && (word == NULL || strstr(line, word) != NULL);
    }
    free(text);
    return n;
}

bool leg_of(int64_t agent, char *id)
{
    char *text = read_file(stack_witness());
    char *rest = NULL;
    char key[32];
    bool found = false;

    /* leg-nnnn-aaaaaaaa-... */
    snprintf(key, sizeof key, "-%08llx-", (unsigned long long)agent);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *at = strstr(line, "\"what\":\"originate\",\"id\":\"leg-");
        at = at != NULL ? strstr(at, "leg-") : NULL;
        if (at != NULL && strncmp(at + 8, key, strlen(key)) == 0) {
            snprintf(id, 40, "%.*s", (int)strcspn(at, "\""), at);
            found = true;
        }
    }
    free(text);
    return found;
}

/* The next originate of a customer for the campaign; NULL: no more. The text is cut up. */
static const char *next_dialed(const struct site *s, char *text, char **rest)
{
    char campaign[16];

    /* att-nnnn-cccccccc-... */
    snprintf(campaign, sizeof campaign, "-%08llx-", (unsigned long long)s->campaign);
    for (char *line = strtok_r(text, "\n", rest); line != NULL; line = strtok_r(NULL, "\n", rest)) {
        const char *id = strstr(line, "\"what\":\"originate\",\"id\":\"att-");
        if (id != NULL && strncmp(strstr(id, "att-") + 8, campaign, strlen(campaign)) == 0) {
            return line;
        }
    }
    return NULL;
}

unsigned dialed_by(const struct site *s)
{
    char *text = read_file(stack_witness());
    char *rest = NULL;
    unsigned n = 0;

    for (char *at = text; next_dialed(s, at, &rest) != NULL; at = NULL) {
        n++;
    }
    free(text);
    return n;
}

unsigned dialed_again(const struct site *s)
{
    static const char key[] = "\"number\":\"";
    char *text = read_file(stack_witness());
    char *rest = NULL;
    char *seen = calloc(1, strlen(text) + 1); /* "+12125550100\"+12125550101\"" */
    size_t len = 0;
    unsigned n = 0;
    const char *line;

    assert_non_null(seen);
    for (char *at = text; (line = next_dialed(s, at, &rest)) != NULL; at = NULL) {
        char number[32];
        const char *from = strstr(line, key);
        assert_non_null(from);
        from += strlen(key);
        snprintf(number, sizeof number, "%.*s\"", (int)strcspn(from, "\""), from);
        if (strstr(seen, number) != NULL) {
            print_error("again: %s\n", line);
            n++;
        }
        memcpy(seen + len, number, strlen(number));
        len += strlen(number);
    }
    free(seen);
    free(text);
    return n;
}

/* The site's calls with that outcome; NULL: with any that a call has which was originated. */
static unsigned count_calls(const struct site *s, const char *outcome)
{
    char *rest = NULL;
    char *copy = strdup(ctl("export|calls|--format|jsonl"));
    unsigned n = 0;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int64_t campaign = 0;
        const char *its;
        assert_int_equal(parse(line), 0);
        (void)json_int(&row, json_get(&row, JSON_ROOT, "campaign"), &campaign);
        its = json_str(&row, json_get(&row, JSON_ROOT, "outcome"), "");
        if (campaign == s->campaign) {
            n += outcome != NULL
                     ? strcmp(its, outcome) == 0
                     : its[0] != '\0' && strcmp(its, "none") != 0 && strcmp(its, "never_sent") != 0;
        }
    }
    free(copy);
    return n;
}

unsigned outcomes(const struct site *s, const char *outcome)
{
    return count_calls(s, outcome);
}

unsigned ended_of(const struct site *s)
{
    return count_calls(s, NULL);
}

/* --- campaigns and leads ---------------------------------------------------------------------- */

void fresh_number(char *number)
{
    static unsigned n;

    snprintf(number, 20, "+1%u55501%02u", 212 + n / 100, n % 100);
    n++;
}

void site_start(const struct site *s)
{
    ctl("campaign|start|%lld", (long long)s->campaign);
}

void site_stop(const struct site *s)
{
    ctl("campaign|stop|%lld", (long long)s->campaign);
}

void site_leads(const struct site *s, unsigned count)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    char number[20];

    assert_non_null(f);
    fputs("number,name\n", f);
    for (unsigned i = 0; i < count; i++) {
        fresh_number(number);
        fprintf(f, "%s,Lead %u\n", number, i);
    }
    fclose(f);
    write_file("leads.csv", text);
    free(text);
    ctl("lead|import|%s|--list|%lld", in_folder("leads.csv"), (long long)s->list);
    assert_int_equal(ctl_number("inserted"), count);
}

struct site site_new(const char *mode, const char *people, const char *settings)
{
    static unsigned n;
    struct site s;

    n++;
    far_ends(people);
    ctl("trunk|add|trunk%u|endpoint=PJSIP/{number}@carrier|pbx=%u|lines=50|cps=50", n,
        stack_server());
    s.trunk = ctl_number("id");
    ctl("campaign|add|campaign%u|mode=%s|trunk=%lld|caller_id=+12125550100|prefixes=+1|from=00:00|"
        "to=00:00|message=safe-harbour|retry=1%s%s",
        n, mode, (long long)s.trunk, settings[0] != '\0' ? "|" : "", settings);
    s.campaign = ctl_number("id");
    ctl("list|add|list%u|--campaign|%lld", n, (long long)s.campaign);
    s.list = ctl_number("id");
    return s;
}

struct site site_list(const struct site *s, const char *name)
{
    struct site other = *s;

    ctl("list|add|%s|--campaign|%lld", name, (long long)s->campaign);
    other.list = ctl_number("id");
    return other;
}

int64_t site_lead(const struct site *s, const char *name, char *number)
{
    fresh_number(number);
    return site_lead_as(s, name, number);
}

int64_t site_lead_as(const struct site *s, const char *name, const char *number)
{
    char text[200];
    char *rest = NULL;
    char *copy;
    int64_t lead = 0; /* the newest is the last */

    snprintf(text, sizeof text, "number,name,city\n%s,%s,Rome\n", number, name);
    write_file("leads.csv", text);
    ctl("lead|import|%s|--list|%lld", in_folder("leads.csv"), (long long)s->list);
    assert_int_equal(ctl_number("inserted"), 1);
    copy = strdup(ctl("export|leads|--format|jsonl"));
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(parse(line), 0);
        if (json_is(&row, json_get(&row, JSON_ROOT, "number"), number)) {
            (void)json_int(&row, json_get(&row, JSON_ROOT, "lead"), &lead);
        }
    }
    free(copy);
    assert_true(lead > 0);
    return lead;
}

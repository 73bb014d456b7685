/* The operator's socket with a real SQLite store behind it and a bus that the test plays: every
 * command through the real dialerctl, its output, exit status, what the actors are told, what the
 * audit holds. */
#include "adapters/ctl/command.h"
#include "adapters/daemon/ctl.h"
#include "adapters/secret/secret.h"
#include "core/endpoint.h"
#include "tests/daemon/spawn.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a bus with one endpoint ----------------------------------------------------------------- */

#define SENT_MAX 4096

struct endpoint {
    void (*wake)(void *ctx);
    void *ctx;
    uint16_t sent[SENT_MAX];
    handle to[SENT_MAX];
    size_t n;
    struct msg_reply replies[SENT_MAX];
    char json[SENT_MAX][160];
    size_t n_replies;
};

static struct endpoint bus;

struct endpoint *endpoint_open(struct pool *pool, unsigned kind, void (*wake)(void *ctx), void *ctx)
{
    (void)pool;
    assert_int_equal(kind, KIND_CTL);
    bus.wake = wake;
    bus.ctx = ctx;
    return &bus;
}

static void answer(struct endpoint *ep, uint64_t client, uint64_t request, const char *json)
{
    struct msg_reply *r = &ep->replies[ep->n_replies];
    snprintf(ep->json[ep->n_replies], sizeof ep->json[0], "%s", json);
    *r = (struct msg_reply){.client = client, .request = request, .result = RESULT_OK};
    r->json = (struct text){ep->json[ep->n_replies], (uint32_t)strlen(json)};
    r->text = (struct text){"", 0};
    ep->n_replies++;
    ep->wake(ep->ctx);
}

int endpoint_send(struct endpoint *ep, handle to, uint16_t type, const void *msg)
{
    ep->sent[ep->n % SENT_MAX] = type;
    ep->to[ep->n++ % SENT_MAX] = to;
    if (type == MSG_campaign_switch) {
        const struct msg_campaign_switch *m = msg;
        answer(ep, m->client, m->request, "");
    } else if (type == MSG_explain_campaign) {
        const struct msg_explain_campaign *m = msg;
        answer(ep, m->client, m->request,
               "{\"campaign\":1,\"name\":\"spring\",\"state\":\"running\",\"why\":\"no agent\"}");
    } else if (type == MSG_explain_lead) {
        const struct msg_explain_lead *m = msg;
        answer(ep, m->client, m->request - 1, "{\"lead\":9}"); /* an earlier job's, late */
        answer(ep, m->client, m->request, "{\"lead\":1,\"reason\":\"list_stopped\"}");
    } else if (type == MSG_ticket_ask) {
        const struct msg_ticket_ask *m = msg;
        char json[100];
        snprintf(json, sizeof json, "{\"agent\":%llu,\"ticket\":\"t%llu\"}",
                 (unsigned long long)m->agent, (unsigned long long)m->request);
        answer(ep, m->client, m->request, json);
    }
    return 0;
}

void endpoint_flush(struct endpoint *ep)
{
    (void)ep;
}

size_t endpoint_receive(struct endpoint *ep, endpoint_handler handler, void *ctx, size_t max)
{
    static const struct msg_alarm_moved parked = {
        ALARM_campaign_parked, {"P", 1}, {"campaign 5000", 13}, {"row", 3}, true, 1767787206020, 0};
    size_t n = 0;
    handler(ctx, ADDR_CTL, ADDR_DESK, MSG_alarm_moved, &parked);
    while (n < ep->n_replies && n < max)
        handler(ctx, ADDR_CTL, ADDR_DESK, MSG_reply, &ep->replies[n++]);
    memmove(ep->replies, ep->replies + n, (ep->n_replies - n) * sizeof ep->replies[0]);
    ep->n_replies -= n;
    return n;
}

bool endpoint_exists(const struct endpoint *ep, handle name)
{
    return ep && handle_id(name) < 1000;
}

void endpoint_close(struct endpoint *ep)
{
    (void)ep;
}

static int64_t clock_of(clockid_t id, int64_t per_s)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * per_s + t.tv_nsec / (1000000000 / per_s);
}

int64_t pool_wall_ms(void)
{
    return clock_of(CLOCK_REALTIME, 1000);
}

int64_t pool_now_us(void)
{
    return clock_of(CLOCK_MONOTONIC, 1000000);
}

static bool was_sent(uint16_t type)
{
    for (size_t i = 0; i < bus.n && i < SENT_MAX; i++)
        if (bus.sent[i] == type)
            return true;
    return false;
}

/* --- the place ------------------------------------------------------------------------------- */

static char dir[64];
static char path_socket[100];
static char path_db[100];
static struct config config;
static struct store *owner;
static struct ctl *ctl;
static struct ctl_options options;
static struct store_options store_of;
static const char *program;

static void drained(void *ctx, uint32_t ringing)
{
    (void)ctx;
    (void)ringing;
}

static void expect(const char *words, int status, const char *out, const char *err);

static int up(void **state)
{
    (void)state;
    char why[512];
    char text[600];
    static struct config_errors errors;
    static struct store_options own;
    program = getenv("DIALERCTL");
    snprintf(dir, sizeof dir, "/tmp/dialer-ctl-XXXXXX");
    if (!program || !mkdtemp(dir) || secret_init() != 0)
        return -1;
    snprintf(path_socket, sizeof path_socket, "%s/ctl", dir);
    snprintf(path_db, sizeof path_db, "%s/db", dir);
    snprintf(text, sizeof text,
             "[store]\nurl=sqlite:%s\n[ctl]\nsocket=%s\n[pbx one]\nurl=http://127.0.0.1:1\n"
             "[pbx two]\nurl=http://127.0.0.1:2\nnumber=9\n",
             path_db, path_socket);
    if (config_parse("t", text, strlen(text), &config, &errors) != 0)
        return -1;
    own = (struct store_options){.where = path_db, .owner = "test", .own = true};
    store_of = (struct store_options){.where = path_db, .owner = "test"};
    owner = store_sqlite.make(&own);
    if (owner->ops->connect(owner, pool_wall_ms()) != STORE_OK)
        return -1;
    options = (struct ctl_options){.config = &config,
                                   .driver = &store_sqlite,
                                   .store = &store_of,
                                   .page = "http://127.0.0.1:8090",
                                   .on_drained = drained};
    ctl = ctl_open(&options, why, sizeof why);
    if (!ctl || ctl_start(ctl) != 0)
        return -1;
    expect("campaign list", 5, NULL, "not got its store yet");
    ctl_begin(ctl, 7);
    return 0;
}

static int down(void **state)
{
    (void)state;
    char path[200];
    static const char *const files[] = {"db",       "db-wal", "db-shm", "db.owner",
                                        "password", "csv",    "errors"};
    ctl_stop(ctl);
    ctl_close(ctl);
    owner->ops->close(owner);
    config_free(&config);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    return rmdir(dir);
}

/* Runs dialerctl with words separated by blanks ('~' stands for a blank inside a word). */
static struct ran run(const char *words)
{
    char copy[1024];
    char *argv[64] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--socket", path_socket};
    int n = 3;
    snprintf(copy, sizeof copy, "%s", words);
    for (char *w = copy; *w && n < 63;) {
        argv[n++] = w;
        w += strcspn(w, " ");
        if (*w)
            *w++ = '\0';
    }
    for (int i = 3; i < n; i++)
        for (char *p = argv[i]; *p; p++)
            if (*p == '~')
                *p = ' ';
    return ran("", argv);
}

/* What it ends with stands in the table, from which help and manual page have it. */
static bool documented(const char *words, int status)
{
    char copy[1024], *word[3] = {NULL};
    int n = 0, taken;
    snprintf(copy, sizeof copy, "%s", strncmp(words, "--json ", 7) == 0 ? words + 7 : words);
    for (char *w = strtok(copy, " "); w && n < 2; w = strtok(NULL, " "))
        word[n++] = w;
    const struct ctl_command *c = ctl_find(n, word, &taken);
    return (status != 3 && status != 4) || (c && strchr(c->exits, '0' + status));
}

static void expect(const char *words, int status, const char *out, const char *err)
{
    struct ran r = run(words);
    bool good = documented(words, r.status) && r.status == status && (!out || strstr(r.out, out)) &&
                (!err || strstr(r.err, err));
    if (!good)
        print_error("%s\n status %d, want %d\n out: %s\n want: %s\n err: %s\n want: %s\n", words,
                    r.status, status, r.out, out ? out : "", r.err, err ? err : "");
    ran_free(&r);
    assert_true(good);
}

static void write_text(const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* --- usage ----------------------------------------------------------------------------------- */

static void refuses_bad_command_lines(void **state)
{
    (void)state;
    expect("nonsense", 2, NULL, "nonsense: no such command");
    expect("campaign", 2, NULL, "no such command");
    expect("--nonsense", 2, NULL, "no such option");
    expect("campaign show", 2, NULL, "campaign is missing");
    expect("campaign show x", 2, NULL, "want a whole number");
    expect("campaign show 0", 2, NULL, "want a whole number from 1");
    expect("campaign show 1 2", 2, NULL, "one argument too many");
    expect("campaign stop 1 --nonsense", 2, NULL, "no such option");
    expect("list add x", 2, NULL, "--campaign is missing");
    expect("export calls --format xml", 2, NULL, "want one of: csv jsonl");
    expect("export calls --from yesterday", 2, NULL, "want 2026-11-23");
    expect("agent add bob --password-file /nonexistent", 1, NULL, "No such file");
    expect("campaign list --config /x", 2, NULL, "takes no --config");
    expect("--help", 0, "campaign add", NULL);
    expect("campaign add --help", 0, "NAME=VALUE", NULL);
    expect("--version", 0, "dialerctl ", NULL);
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t) "--socket",
                    (char *)(uintptr_t) "/nonexistent/ctl", (char *)(uintptr_t) "status", NULL};
    struct ran r = ran("", argv);
    assert_int_equal(r.status, 5);
    assert_non_null(strstr(r.err, "no daemon answers"));
    ran_free(&r);
}

/* --- from nothing to a campaign -------------------------------------------------------------- */

static void sets_up_a_campaign(void **state)
{
    (void)state;
    expect("trunk add carrier pbx=two endpoint=PJSIP/{number}@carrier lines=60 cps=5", 0, "\npbx ",
           NULL);
    expect("--json trunk list", 0, "\"pbx\":9,\"pbx_name\":\"two\"", NULL);
    expect("trunk add other pbx=nowhere endpoint=PJSIP/{number}@x", 2, NULL,
           "no section [pbx nowhere]");
    expect("trunk add other lined=3", 2, NULL, "lines");
    expect("trunk set 1 lines=61", 0, "61", NULL);
    expect("trunk set 7 lines=61", 3, NULL, "there is no trunk 7");
    expect("campaign add spring mode=preview preview=4", 2, NULL, "from 5 to 3600");
    expect("campaign add spring mode=preview preview_expiry=later", 2, NULL, "dial or not_ready");
    expect("campaign add spring mode=predictive", 2, NULL, "predictive is not manual");
    expect("campaign add spring mode=ratio leg=on_demand", 2, NULL, "R2");
    expect("campaign add spring ring=14", 2, NULL, "R23");
    expect("campaign add spring answer_wait_ms=2001", 2, NULL, "R23");
    expect("campaign add spring abandon_limit=301", 2, NULL, "R23");
    expect("campaign add spring mode", 2, NULL, "want NAME=VALUE");
    expect("campaign add spring mode=ratio zone=Mars/Base", 2, NULL, "zone");
    expect("campaign list", 0, "", NULL);
    expect("--json campaign list", 0, "[]", NULL);
    expect("campaign add spring mode=ratio ratio=1.2 zone=America/New_York", 0, "spring", NULL);
    expect("campaign add spring", 4, NULL, "spring");
    expect("campaign start 1", 1, NULL, "no trunk");
    expect("campaign set 1 trunk=1", 0, NULL, NULL);
    expect("campaign start 1", 1, NULL, "R16: no caller id");
    expect("campaign set 1 caller_id=+12125550100", 0, NULL, NULL);
    expect("campaign set 1 caller_id=2125550100", 2, NULL, "caller_id");
    expect("campaign start 1", 1, NULL, "R16: no prefixes");
    expect("campaign set 1 prefixes=+1212", 0, NULL, NULL);
    expect("campaign start 1", 1, NULL, "R22, R23: the campaign has no safe-harbour message");
    expect("campaign set 1 message=sorry", 0, "sorry", NULL);
    expect("campaign start 9", 3, NULL, "there is no campaign 9");
    expect("campaign start 1", 0, NULL, NULL);
    assert_true(was_sent(MSG_campaign_switch));
    expect("--json campaign show 1", 0, "\"active\":\"on\"", NULL);
    expect("campaign stop 1 --now", 0, NULL, NULL);
    expect("--json campaign list", 0, "\"active\":false", NULL);
    expect("settings campaign", 0, "R23", NULL);
    expect("list add first --campaign 1 priority=2", 0, "first", NULL);
    expect("list add first --campaign 8", 3, NULL, "there is no campaign 8");
    expect("list stop 1", 0, NULL, NULL);
    assert_true(was_sent(MSG_list_changed));
    expect("--json list list --campaign 1", 0, "\"active\":false", NULL);
    expect("list start 1", 0, NULL, NULL);
    expect("list start 5", 3, NULL, NULL);
    expect("--json audit", 0, "\"who\":\"cli:", NULL);
    expect("--json audit", 0, "\"field\":\"caller_id\",\"old\":\"\",\"new\":\"+12125550100\"",
           NULL);
}

static void manages_agents(void **state)
{
    (void)state;
    char words[256];
    write_text("password", "correct horse\n");
    snprintf(words, sizeof words, "agent add ann --name Ann~Bell --password-file %s/password", dir);
    expect(words, 0, "Ann Bell", NULL);
    expect(words, 4, NULL, "ann");
    write_text("password", "short\n");
    snprintf(words, sizeof words, "agent add bob --password-file %s/password", dir);
    expect(words, 2, NULL, "8 to");
    expect("agent phone 1 --endpoint PJSIP/1001 --pbx two --kind softphone", 0, NULL, NULL);
    expect("agent phone 1 --endpoint PJSIP/1001&SIP/2", 2, NULL, "phone");
    expect("agent phone 1 --endpoint PJSIP/1001 --pbx three", 2, NULL, "[pbx three]");
    expect("agent phone 3 --endpoint PJSIP/1001", 3, NULL, "no agent 3");
    expect("--json agent list", 0, "\"phone\":\"PJSIP/1001\",\"pbx\":9,\"phone_enabled\":true",
           NULL);
    expect("agent assign 1 --campaign 1", 0, NULL, NULL);
    expect("agent assign 1 --campaign 77", 3, NULL, NULL);
    expect("agent set 1 wrapup_default=20", 0, "20", NULL);
    expect("agent ticket --count 1", 0, "ticket", NULL);
    expect("--json agent ticket --count 5", 3, "\"agent\":1", "only 1 such agents");
    expect("agent disable 1", 0, NULL, NULL);
    expect("agent ticket", 3, NULL, NULL);
    expect("agent enable 1", 0, NULL, NULL);
    expect("login-link", 0, "http://127.0.0.1:8090/enter#t", NULL);
    char origins[] = "https://dial.example, https://other.example";
    char *before = config.web.origins;
    config.web.origins = origins;
    expect("login-link", 0, "https://dial.example/enter#t", NULL);
    config.web.origins = before;
    assert_true(was_sent(MSG_changed));
}

static void keeps_the_do_not_call_list(void **state)
{
    (void)state;
    expect("dnc add +12125550142 --source complaint", 0, NULL, NULL);
    assert_true(was_sent(MSG_suppressed));
    expect("dnc add 300&PJSIP/1", 2, NULL, "number");
    expect("dnc add +1234567890123456789", 2, NULL, "number");
    expect("--json dnc list", 0, "\"number\":\"+12125550142\",\"source\":\"complaint\"", NULL);
    expect("dnc list --limit 0", 0, "", NULL);
}

/* Imports `text` (of `len` bytes) into list 1. */
static void import(const char *text, size_t len, const char *words, int status, const char *out,
                   const char *err)
{
    char path[200];
    char line[512];
    snprintf(path, sizeof path, "%s/csv", dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fclose(f);
    snprintf(line, sizeof line, "--json lead import %s --list 1 %s", path, words);
    expect(line, status, out, err);
}

#define IMPORT(text, words, status, out, err)                                                      \
    import(text, sizeof(text) - 1, words, status, out, err)

static void imports_leads(void **state)
{
    (void)state;
    IMPORT("phone,name,plan\n+12125550111,Ann,basic\n+12125550112,\"Bell, Bo\",plus\n", "", 0,
           "\"rows\":2,\"inserted\":2,\"duplicates\":0,\"repeated\":0", NULL);
    expect("--json audit --limit 1", 0,
           "/csv\",\"new\":\"2 rows: 2 inserted, 0 duplicates, 0 repeated, 0 do not call", NULL);
    IMPORT("phone,name,plan\n+12125550111,Ann,basic\n+12125550112,\"Bell, Bo\",plus\n", "", 0,
           "\"inserted\":0,\"duplicates\":0,\"repeated\":2", NULL);
    IMPORT("phone;name\n+1 (212) 555-0111;Ann\n212-555-0113;Cy\n", "--country US --dry-run", 0,
           "\"inserted\":1,\"duplicates\":1,\"repeated\":0,\"do_not_call\":0,\"bad\":0,\"dry_run\":"
           "true",
           NULL);
    expect("--json audit --limit 1", 0, "\"new\":\"2 rows: 0 inserted, 0 dup", NULL); /* not it */
    IMPORT("tel,who\n+12125550142,Dnc\n", "--map tel=number --map who=name", 0,
           "\"inserted\":1,\"duplicates\":0,\"repeated\":0,\"do_not_call\":1", NULL);
    IMPORT("number\n4.47E+11\n300&PJSIP/1\nabc\n1234567890123456789012345678901234567890\n\n"
           "+12125550114\n",
           "", 0,
           "\"rows\":5,\"inserted\":1,\"duplicates\":0,\"repeated\":0,\"do_not_call\":0,\"bad\":4",
           "csv:2: number:");
    IMPORT("number,zone\n+12125550115,Mars/Base\n+12125550116,Europe/London\n", "", 0,
           "\"inserted\":1,", "csv:2: zone: is no IANA time zone");
    IMPORT("number,name\n+12125550117\n+12125550118,a,b\n", "", 0, "\"bad\":2",
           "csv:3: has 3 columns, the heading has 2");
    IMPORT("number,name\n+12125550119,\"open\n+12125550120,x\n", "", 0, "\"inserted\":1", "csv:2:");
    IMPORT("number,name\n+12125550121,\xff\n", "", 0, "\"bad\":1", "not valid UTF-8");
    IMPORT("\xef\xbb\xbfnumber\n+12125550122\n", "", 0, "\"inserted\":1", NULL);
    IMPORT("name\nAnn\n", "", 2, NULL, "no column holds the number");
    IMPORT("number,Number\n1,2\n", "", 2, NULL, "comes twice");
    IMPORT("number\n1\n", "--map x=number", 2, NULL, "no column x");
    IMPORT("number\n1\n", "--map number=colour", 2, NULL, "want COLUMN=FIELD");
    IMPORT("number\n1\n", "--country XX", 2, NULL, "not known");
    IMPORT("", "", 2, NULL, "the file is empty");
    IMPORT("\xff\xfen\0u\0m\0", "", 2, NULL, "UTF-16");
    IMPORT("number\n+1212555\0000123\n", "", 2, NULL, "NUL");
    size_t size = 2000000;
    char *commas = malloc(size);
    assert_non_null(commas);
    memset(commas, ',', size);
    import(commas, size, "", 2, NULL, "line 1");
    memset(commas, 'x', size);
    import(commas, size, "", 2, NULL, "line 1");
    memcpy(commas, "number\n", 7);
    commas[size - 14] = '\n';
    memcpy(commas + size - 13, "+12125550123\n", 13);
    import(commas, size, "", 0, "\"inserted\":1", "csv:2:");
    free(commas);
    char words[400];
    snprintf(words, sizeof words, "--errors %s/errors", dir);
    IMPORT("number,name\nabc,\"x\"\n", words, 0, "\"bad\":1", NULL);
    char text[512] = "";
    snprintf(words, sizeof words, "%s/errors", dir);
    FILE *f = fopen(words, "re");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_non_null(strstr(text, "line,column,reason\n2,\"number\",\""));
    expect("lead import /nonexistent --list 1", 1, NULL, "No such file");
    IMPORT("number\n", "--list 1", 2, NULL, "comes twice");
    expect("--json lead show 2", 0, "\"name\":\"Bell, Bo\"", NULL);
    expect("--json lead show 2", 0, "\"fields\":{\"plan\":\"plus\"}", NULL);
}

static void makes_demo_data_and_exports(void **state)
{
    (void)state;
    expect("demo-data --leads 1200 --agents 3 --pbx nowhere", 2, NULL, "[pbx nowhere]");
    expect("--json demo-data --leads 1200 --agents 3", 0, "\"agents\":3,\"leads\":1200", NULL);
    struct ran r = run("export leads");
    assert_int_equal(r.status, 0);
    size_t lines = 0;
    for (const char *p = r.out; *p; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 1 + 8 + 1200);
    assert_int_equal(strncmp(r.out, "lead,list,campaign,number,", 26), 0);
    assert_non_null(strstr(r.out, "\"{\"\"plan\"\":"));
    ran_free(&r);
    expect("export leads --format jsonl --from 2020-01-01 --to 2020-01-02T00:00:00Z", 0, "", NULL);
    expect("--json export leads", 0, "{\"lead\":1,", NULL);
    expect("export calls", 0, "", NULL);
    expect("export agents", 0, "", NULL);
    expect("--json lead show 1", 0, "\"row_status\":\"pending\"", NULL);
    expect("lead show 99999", 3, NULL, "no lead 99999");
    expect("explain campaign 1", 0, "no agent", NULL);
    expect("explain campaign 5001", 3, NULL, "not loaded");
    expect("explain campaign 5000", 1, NULL, "parked since 2026-01-07T12:00:06.020Z: row; to take");
    expect("explain lead 1", 0, "list_stopped", NULL);
    expect("explain lead 99999", 3, NULL, NULL);
    expect("status", 0, "running", NULL);
    expect("db status", 0, "sqlite", NULL);
    expect("alarms", 0, "", NULL);
}

/* --- rubbish on the socket ------------------------------------------------------------------- */

static char *talk_raw(const char *text, size_t len)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path_socket);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    char *answer_text = calloc(1, 65536);
    assert_non_null(answer_text);
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, text + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    shutdown(fd, SHUT_WR);
    size_t got = 0;
    ssize_t n = 0;
    while (got < 65535 && (n = read(fd, answer_text + got, 65535 - got)) > 0)
        got += (size_t)n;
    close(fd);
    return answer_text;
}

static void raw(const char *text, const char *want)
{
    char *said = talk_raw(text, strlen(text));
    if (!strstr(said, want))
        fail_msg("%s\n said: %s\n want: %s", text, said, want);
    free(said);
}

static void answers_rubbish_with_an_error(void **state)
{
    (void)state;
    raw("\n", "not a request");
    raw("{\n", "not a request");
    raw("[1,2]\n", "there is no command ''");
    raw("{\"command\":\"rm\"}\n", "there is no command 'rm'");
    raw("{\"command\":\"campaign show\"}\n", "campaign is missing");
    raw("{\"command\":\"campaign show\",\"args\":{\"campaign\":1}}\n", "want a string");
    raw("{\"command\":\"campaign show\",\"args\":{\"nonsense\":\"1\"}}\n",
        "has no argument nonsense");
    raw("{\"command\":\"campaign set\",\"args\":{\"campaign\":\"1\",\"settings\":\"x=1\"}}\n",
        "want an array");
    raw("{\"command\":\"campaign set\",\"args\":{\"campaign\":\"1\",\"settings\":[1]}}\n",
        "want an array of strings");
    raw("{\"id\":1,\"bytes\":5}\n", "there is no command");
    raw("{\"command\":\"dnc add\",\"args\":{\"number\":\"\xff\"}}\n", "not a request");
    char *deep = malloc(400);
    assert_non_null(deep);
    memset(deep, '[', 399);
    deep[398] = '\n';
    deep[399] = '\0';
    raw(deep, "not a request");
    free(deep);
    size_t size = 200000;
    char *big = malloc(size + 1);
    assert_non_null(big);
    memset(big, 'x', size);
    big[size] = '\0';
    raw(big, "the line is longer");
    free(big);
    expect("db status", 0, "sqlite", NULL);
}

static void socket_is_ours_alone(void **state)
{
    (void)state;
    struct stat st;
    char why[512];
    assert_int_equal(stat(path_socket, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* Another daemon at the same path is refused while this one answers. */
    assert_null(ctl_open(&options, why, sizeof why));
    assert_non_null(strstr(why, "another daemon answers"));
    expect("db status", 0, "sqlite", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_command_lines),
        cmocka_unit_test(sets_up_a_campaign),
        cmocka_unit_test(manages_agents),
        cmocka_unit_test(keeps_the_do_not_call_list),
        cmocka_unit_test(imports_leads),
        cmocka_unit_test(makes_demo_data_and_exports),
        cmocka_unit_test(answers_rubbish_with_an_error),
        cmocka_unit_test(socket_is_ours_alone),
    };
    return cmocka_run_group_tests(tests, up, down);
}

/* stack.c - see stack.h. */
#include "tests/rules/stack.h"

#include "tests/daemon/spawn.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static pid_t ari_sim, dialerd;
static uint16_t control_port; /* of ari-sim */
static char *output;          /* of the last ctl */
static struct json row;

static const char *in_folder(const char *name)
{
    static char path[8][128];
    static unsigned turn;

    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static const char *program(const char *variable)
{
    const char *path = getenv(variable);

    if (path == NULL) {
        fail_msg("%s does not say where the program is", variable);
    }
    return path;
}

/* The program's standard output and error go to a file. */
static pid_t start(const char *path, const char *log, char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    assert_int_equal(posix_spawn(&pid, path, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static void stop(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGTERM);
        waitpid(*pid, NULL, 0);
        *pid = 0;
    }
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "we");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    chmod(in_folder(name), 0600);
}

static char *read_file(const char *name)
{
    FILE *f = fopen(in_folder(name), "re");
    char *text = NULL;
    size_t size = 0;

    if (f == NULL || getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = calloc(1, 1);
    }
    if (f != NULL) {
        fclose(f);
    }
    return text;
}

static unsigned number_after(const char *file, const char *words)
{
    char *text = read_file(file);
    const char *at = strstr(text, words);
    const unsigned n = at != NULL ? (unsigned)strtoul(at + strlen(words), NULL, 10) : 0;

    free(text);
    return n;
}

/* GET; the first bytes of the answer say its status. */
static bool get(uint16_t port, const char *target, int status)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char text[512];
    char answer[64] = "";
    bool good;

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
             target);
    good = connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) == 0 &&
           write(fd, text, strlen(text)) > 0 && read(fd, answer, sizeof answer - 1) > 0;
    close(fd);
    return good && strtol(answer + 9, NULL, 10) == status;
}

void far_ends(const char *people)
{
    char target[300];

    snprintf(target, sizeof target, "/sim/people?%s&setup=constant:0.05", people);
    assert_true(get(control_port, target, 200));
}

int stack_up(void **state)
{
    const struct net_loop_config config = {0};
    char text[1024];
    char err[200];
    unsigned ari_port = 0;

    (void)state;
    snprintf(folder, sizeof folder, "/tmp/rules-XXXXXX");
    assert_non_null(mkdtemp(folder));
    loop = net_loop_open(&config, err, sizeof err);
    assert_non_null(loop);
    json_init(&row, 1024u * 1024u);
    write_file("password", "correct horse\n");
    snprintf(text, sizeof text, "dialer:%s", in_folder("password"));
    ari_sim = start(program("ARI_SIM"), in_folder("ari-sim.log"),
                    (char *[]){"ari-sim", "--port", "0", "--witness", (char *)in_folder("witness"),
                               "--user", text, "--trunk", "carrier,cps=100,lines=200", "--phones",
                               "agent*,answer=50", "--control-port", "0", "--sound",
                               "safe-harbour=1", "--sound", "beep=0.1", NULL});
    run_until((ari_port = number_after("ari-sim.log", "listening 127.0.0.1:")) != 0);
    run_until((control_port = (uint16_t)number_after("ari-sim.log", "control 127.0.0.1:")) != 0);
    snprintf(text, sizeof text,
             "[daemon]\nname = rules\ndrain_time = 1s\n[store]\nurl = \"sqlite:%s\"\n"
             "[hopper]\nurl = \"memory:\"\n[pbx sim]\nurl = http://127.0.0.1:%u\n"
             "password_file = \"%s\"\n[web]\nport = 0\n[ctl]\nsocket = \"%s\"\n",
             in_folder("db"), ari_port, in_folder("password"), in_folder("ctl"));
    write_file("conf", text);
    dialerd = start(program("DIALERD"), in_folder("dialerd.log"),
                    (char *[]){"dialerd", "--config", (char *)in_folder("conf"), NULL});
    run_until((page_port = (uint16_t)number_after("dialerd.log", "page at http://127.0.0.1:")) !=
              0);
    run_until(get(page_port, "/readyz", 200));
    return 0;
}

int stack_down(void **state)
{
    DIR *dir;
    const struct dirent *entry;

    (void)state;
    stop(&dialerd);
    stop(&ari_sim);
    net_loop_close(loop);
    json_free(&row);
    free(output);
    output = NULL;
    if (getenv("RULES_KEEP") != NULL) {
        print_message("kept: %s\n", folder);
        return 0;
    }
    dir = opendir(folder);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        unlink(in_folder(entry->d_name));
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(folder);
    return 0;
}

/* --- the operator --------------------------------------------------------------------------- */

const char *ctl(const char *format, ...)
{
    char words[1024];
    char *argv[48] = {(char *)program("DIALERCTL"), "--socket", (char *)in_folder("ctl"), "--json"};
    unsigned n = 4;
    char *rest = NULL;
    const int64_t until_us = net_now_us() + 5 * US_PER_S;
    struct ran r;
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    for (char *word = strtok_r(words, "|", &rest); word != NULL && n < 47;
         word = strtok_r(NULL, "|", &rest)) {
        argv[n++] = strcmp(word, "password") == 0 ? (char *)in_folder("password") : word;
    }
    /* 5: not reachable now; at its start the daemon may listen before it has its store. */
    for (r = ran(NULL, argv); r.status == 5 && net_now_us() < until_us; r = ran(NULL, argv)) {
        ran_free(&r);
        net_loop_run_once(loop, 50 * US_PER_MS);
    }
    if (r.status != 0) {
        fail_msg("dialerctl %s %s ...: %d %s", argv[4], argv[5], r.status, r.err);
    }
    free(output);
    output = r.out;
    free(r.err);
    return output;
}

static json_ref ctl_row(void)
{
    json_ref at = JSON_ROOT;

    if (json_parse(&row, output, strlen(output)) != 0) {
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
        assert_int_equal(json_parse(&row, line, strlen(line)), 0);
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
        assert_int_equal(json_parse(&row, line, strlen(line)), 0);
        (void)json_int(&row, json_get(&row, JSON_ROOT, "agent"), &who);
        was = was || (who == agent && json_is(&row, json_get(&row, JSON_ROOT, "reason"), reason));
    }
    free(copy);
    return was;
}

/* --- the witness ---------------------------------------------------------------------------- */

unsigned witnessed(const char *what, const char *word)
{
    char *text = read_file("witness");
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

unsigned dialed_by(const struct site *s)
{
    char *text = read_file("witness");
    char *rest = NULL;
    char campaign[16];
    unsigned n = 0;

    /* att-nnnn-cccccccc-... */
    snprintf(campaign, sizeof campaign, "-%08llx-", (unsigned long long)s->campaign);
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *id = strstr(line, "\"what\":\"originate\",\"id\":\"att-");
        n += id != NULL && strncmp(strstr(id, "att-") + 8, campaign, strlen(campaign)) == 0;
    }
    free(text);
    return n;
}

unsigned outcomes(const struct site *s, const char *outcome)
{
    char *rest = NULL;
    char *copy = strdup(ctl("export|calls|--format|jsonl"));
    unsigned n = 0;

    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        int64_t campaign = 0;
        assert_int_equal(json_parse(&row, line, strlen(line)), 0);
        (void)json_int(&row, json_get(&row, JSON_ROOT, "campaign"), &campaign);
        n +=
            campaign == s->campaign && json_is(&row, json_get(&row, JSON_ROOT, "outcome"), outcome);
    }
    free(copy);
    return n;
}

/* --- campaigns and leads ---------------------------------------------------------------------- */

void fresh_number(char *number)
{
    static unsigned n;

    snprintf(number, 20, "+1%u55501%02u", 212 + n / 100, n % 100);
    n++;
}

struct site site_new(const char *mode, const char *people, const char *settings)
{
    static unsigned n;
    struct site s;

    n++;
    far_ends(people);
    ctl("trunk|add|trunk%u|endpoint=PJSIP/{number}@carrier|pbx=1|lines=50|cps=50", n);
    s.trunk = ctl_number("id");
    ctl("campaign|add|campaign%u|mode=%s|trunk=%lld|caller_id=+12125550100|prefixes=+1|from=00:00|"
        "to=00:00|message=safe-harbour|retry=1%s%s",
        n, mode, (long long)s.trunk, settings[0] != '\0' ? "|" : "", settings);
    s.campaign = ctl_number("id");
    ctl("list|add|list%u|--campaign|%lld", n, (long long)s.campaign);
    s.list = ctl_number("id");
    return s;
}

int64_t site_lead(const struct site *s, const char *name, char *number)
{
    char text[200];
    char *rest = NULL;
    char *copy;
    int64_t lead = 0;

    fresh_number(number);
    snprintf(text, sizeof text, "number,name,city\n%s,%s,Rome\n", number, name);
    write_file("leads.csv", text);
    ctl("lead|import|%s|--list|%lld", in_folder("leads.csv"), (long long)s->list);
    assert_int_equal(ctl_number("inserted"), 1);
    copy = strdup(ctl("export|leads|--format|jsonl"));
    for (char *line = strtok_r(copy, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        assert_int_equal(json_parse(&row, line, strlen(line)), 0);
        if (json_is(&row, json_get(&row, JSON_ROOT, "number"), number)) {
            (void)json_int(&row, json_get(&row, JSON_ROOT, "lead"), &lead);
        }
    }
    free(copy);
    assert_true(lead > 0);
    return lead;
}

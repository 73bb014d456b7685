#include "net_fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct net_loop *loop;
int log_errors;

static void on_log(void *ctx, int level, const char *line)
{
    (void)ctx;
    if (level >= 3) {
        log_errors++;
        print_message("# log: %s\n", line);
    }
}

int setup_loop(void **state)
{
    (void)state;
    char err[200] = "";
    const struct net_loop_config config = {.on_log = on_log};
    log_errors = 0;
    loop = net_loop_open(&config, err, sizeof err);
    if (!loop) {
        print_message("# %s\n", err);
    }
    return loop ? 0 : -1;
}

int teardown_loop(void **state)
{
    (void)state;
    net_loop_close(loop);
    loop = NULL;
    return 0;
}

void run_for(int64_t us)
{
    int64_t end = net_now_us() + us;
    while (net_now_us() < end) {
        net_loop_run_once(loop, end - net_now_us());
    }
}

int raw_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

void raw_send(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

bool raw_read(int fd, char *buf, size_t size)
{
    size_t have = strlen(buf);
    ssize_t n = recv(fd, buf + have, size - have - 1, MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN;
    }
    buf[have + (size_t)n] = '\0';
    return n > 0;
}

const char *raw_talk(uint16_t port, const char *text, const char *until)
{
    static char answer[128 * 1024];
    answer[0] = '\0';
    int fd = raw_connect(port);
    raw_send(fd, text, strlen(text));
    int64_t end = net_now_us() + 5 * US_PER_S;
    while (net_now_us() < end) {
        net_loop_run_once(loop, 5 * US_PER_MS);
        if (!raw_read(fd, answer, sizeof answer) || (until && strstr(answer, until))) {
            break;
        }
    }
    close(fd);
    return answer;
}

/*
 * test_sweep_ari.c - the ARI adapter against the simulated Asterisk while memory fails, or the
 * calls to the kernel that libwebsockets makes: from the connect to the end of a call. Whatever
 * fails, the server is there again by itself; an originate leaves once at most and is answered with
 * one end, or with a word that it failed; and nothing leaks.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/ari/fixture.h"
#include "tests/support/sweep.h"

static unsigned calls; /* their numbers go on through all sweeps */

static int begin(void **state)
{
    if (setup(state) != 0) {
        return -1;
    }
    pbx_close(pbx);
    pbx = NULL;
    return 0;
}

static bool up(void)
{
    return link_state(&pbx->link) == LINK_UP;
}

static unsigned lists; /* told when the call began */

/* It ended while the connection was lost: a list without it is all that is told of that. */
static bool absent(unsigned call)
{
    return count_of(MSG_pbx_listed, "") > lists &&
           !chans_find(&pbx->chans, (struct text){call_id(call), ID_LEN});
}

static bool over(unsigned call)
{
    return find(MSG_originate_failed, call_id(call), 0) ||
           find(MSG_channel_ended, call_id(call), 0) || absent(call);
}

static bool answered(unsigned call)
{
    return find(MSG_channel_answered, call_id(call), 0) != NULL;
}

/* The connection was lost meanwhile, and the call was among what the next one found. */
static bool found(unsigned call)
{
    return find(MSG_channel_found, call_id(call), 0) != NULL;
}

/* As a campaign does: it hangs up until the end is told. What may have left and was not answered
 * (fate unknown) ends so, too; and of what never was, nothing stays. */
static void ends(unsigned call)
{
    const int64_t end = net_now_us() + 30 * US_PER_S;

    while (!over(call) || pbx->chans.count > 0) {
        int64_t again = net_now_us() + US_PER_S;

        assert_true(net_now_us() < end);
        hang_up(call_id(call));
        run_until((over(call) && pbx->chans.count == 0) || net_now_us() > again);
    }
}

static void one_call(unsigned call)
{
    const struct told *failed;
    char text[80];
    unsigned ended;

    lists = count_of(MSG_pbx_listed, "");
    originate(call);
    run_until(answered(call) || found(call) || over(call));
    ends(call);
    failed = find(MSG_originate_failed, call_id(call), 0);
    ended = count_of(MSG_channel_ended, call_id(call));
    assert_in_range(count_of(MSG_channel_answered, call_id(call)), 0, 1);
    assert_in_range(count_of(MSG_originate_failed, call_id(call)), 0, 1);
    assert_in_range(ended, 0, 1);
    assert_false(failed && failed->fate != NET_MAYBE_SENT && ended); /* it has left, or not */
    snprintf(text, sizeof text, "\"what\":\"originate\",\"id\":\"%s\"", call_id(call));
    assert_in_range(witnessed(text), answered(call) ? 1 : 0, failed && failed->fate == 0 ? 0 : 1);
}

/* Connects, is up, makes a call and hangs up; false: nothing failed. */
static bool sweep_one(enum sweep_kind kind, int error, unsigned nth)
{
    bool failed;

    forget();
    pbx = another(&host, 3);
    sweep_arm(kind, nth, error, false);
    run_until(up());
    one_call(++calls);
    failed = sweep_disarm();
    for (unsigned tries = 0; tries < 5 && (tries == 0 || !answered(calls)); tries++) {
        run_until(up()); /* what failed last may be noticed only now */
        one_call(++calls);
    }
    assert_true(answered(calls));
    pbx_close(pbx);
    pbx = NULL;
    return failed;
}

static void memory_fails(void **state)
{
    (void)state;
    sweep_run("ari", sweep_one, SWEEP_MEMORY, ENOMEM, sweep_stride(3));
}

/* --- an event that cannot be read: nobody asks, and yet it is known */

/* Ringing is told; then an event (the answer; the end) finds no memory. False: nothing failed. */
static bool event_fails(bool the_end, unsigned nth)
{
    const unsigned call = ++calls;
    bool failed;

    forget();
    pbx = another(&host, 3);
    run_until(up());
    lists = count_of(MSG_pbx_listed, "");
    originate(call);
    run_until(the_end ? answered(call) : find(MSG_channel_ringing, call_id(call), 0) != NULL);
    json_free(&pbx->doc); /* else it has room from those before */
    sweep_arm(SWEEP_MEMORY, nth, ENOMEM, false);
    run_until(the_end ? over(call) : answered(call) || found(call));
    failed = sweep_disarm();
    run_until(up() && over(call));
    assert_in_range(count_of(MSG_channel_answered, call_id(call)), 0, 1);
    assert_in_range(count_of(MSG_channel_ended, call_id(call)), 0, 1);
    pbx_close(pbx);
    pbx = NULL;
    return failed;
}

static void events_find_no_memory(void **state)
{
    (void)state;
    sim("people?ring=constant:0.2&talk=constant:0.3");
    for (int the_end = 0; the_end < 2; the_end++) {
        unsigned nth = 1;

        while (nth < SWEEP_MOST && event_fails(the_end != 0, nth)) {
            nth++;
        }
        print_message("# ari, %s: %u places.\n", the_end ? "end" : "answer", nth - 1);
        assert_in_range(nth, 2, SWEEP_MOST - 1);
    }
}

static void the_connection_fails(void **state)
{
    (void)state;
    sweep_run("ari", sweep_one, SWEEP_BELOW_CONNECT, ECONNREFUSED, 1);
    sweep_run("ari", sweep_one, SWEEP_BELOW_LINK, ECONNRESET,
              sweep_stride(7)); /* each waits for a new connection */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_fails, begin, teardown),
        cmocka_unit_test_setup_teardown(events_find_no_memory, begin, teardown),
        cmocka_unit_test_setup_teardown(the_connection_fails, begin, teardown),
    };

    return cmocka_run_group_tests_name("sweep_ari", tests, NULL, NULL);
}

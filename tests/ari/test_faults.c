/* The adapter against the simulated Asterisk: what goes wrong. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static bool is_up(void)
{
    return link_state(&pbx->link) == LINK_UP;
}

static void sockets_lost_calls_live(void **state)
{
    (void)state;
    originate(1);
    originate_leg(1, "PJSIP/phone1");
    run_until(find(MSG_channel_answered, call_id(1), 0) &&
              find(MSG_channel_answered, leg_id(1), 0));
    bridge("brg-3fa1-00000007-00000001-00000001", call_id(1), leg_id(1));
    run_until(find(MSG_bridge_added, "", 0));
    originate(2);
    run_until(find(MSG_channel_ringing, call_id(2), 0) ||
              find(MSG_channel_answered, call_id(2), 0));
    forget();
    sim("drop-sockets");
    run_until(find(MSG_pbx_moved, "", 0));
    assert_int_equal(find(MSG_pbx_moved, "", 0)->state, PBX_DOWN);
    run_until(find(MSG_pbx_listed, "", 0) && is_up());
    const struct told *found = find(MSG_channel_found, call_id(1), 0);
    assert_non_null(found);
    assert_true(found->yes && found->yes2);
    assert_string_equal(found->id2, "brg-3fa1-00000007-00000001-00000001");
    assert_int_equal(found->to, ADDR_DESK); /* in order with pbx_listed */
    assert_int_equal(find(MSG_channel_found, leg_id(1), 0)->to,
                     ADDR_DESK); /* in order with pbx_listed */
    assert_int_equal(find(MSG_pbx_listed, "", 0)->n1, count_of(MSG_channel_found, ""));
    for (unsigned i = 0; find(MSG_pbx_moved, "", i); i++) {
        assert_false(find(MSG_pbx_moved, "", i)->yes); /* not started anew */
    }
    /* what lived is hung up as ever */
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
    assert_int_equal(witnessed("\"originate\""), 3);
}

static void killed_and_started_anew(void **state)
{
    (void)state;
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
    forget();
    sim("kill");
    run_until(find(MSG_pbx_moved, "", 0));
    originate(2); /* away: refused at once, nothing has left */
    const struct told *failed = find(MSG_originate_failed, call_id(2), 0);
    assert_non_null(failed);
    assert_int_equal(failed->fate, 0);
    const struct msg_check_sound check = {
        .pbx = 3, .campaign = 7, .media = words("dialer/message")};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_check_sound, &check);
    assert_int_equal(find(MSG_sound_checked, "", 0)->state, RESULT_AWAY);
    bridge("brg-3fa1-00000007-00000001-00000001", call_id(1), "");
    run_until(find(MSG_bridge_added, "", 0));
    assert_int_equal(find(MSG_bridge_added, "", 0)->status, 0);
    run_for(300 * US_PER_MS);
    sim("boot");
    run_until(is_up());
    const struct told *up = NULL;
    for (unsigned i = 0; find(MSG_pbx_moved, "", i); i++) {
        up = find(MSG_pbx_moved, "", i);
    }
    assert_int_equal(up->state, PBX_UP);
    assert_true(up->yes);
    assert_int_equal(find(MSG_pbx_listed, "", 0)->n1, 0);
    assert_int_equal(pbx->chans.count, 0);
    originate(3);
    run_until(find(MSG_channel_answered, call_id(3), 0));
}

static void stopped_in_order(void **state)
{
    (void)state;
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
    sim("stop?down_ms=300");
    run_until(find(MSG_channel_ended, call_id(1), 0)); /* its event came before the socket went */
    run_until(link_state(&pbx->link) != LINK_UP);
    run_until(is_up());
    originate(2);
    run_until(find(MSG_channel_answered, call_id(2), 0));
}

static void an_answer_that_never_comes(void **state)
{
    (void)state;
    originate(9); /* with it goes the subscription to the trunk */
    run_until(find(MSG_channel_answered, call_id(9), 0));
    sim("swallow?requests=1&carried=1"); /* carried out, but nobody is told */
    originate(1);
    run_until(find(MSG_originate_failed, call_id(1), 0));
    assert_int_equal(find(MSG_originate_failed, call_id(1), 0)->fate, 2);
    /* what it does is told all the same, and it can be hung up */
    run_until(find(MSG_channel_answered, call_id(1), 0));
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
    assert_int_equal(witnessed("\"originate\""), 2);
    /* the lane comes back */
    run_until(pbx->lanes[LANE_ORIGINATE].open);
    originate(2);
    run_until(find(MSG_channel_answered, call_id(2), 0));
    assert_int_equal(witnessed("\"originate\""), 3);
}

/* It rings, the link is lost, and it is to be hung up. */
static void hang_up_blindly(unsigned n)
{
    sim("people?ring=constant:60");
    originate(n);
    run_until(find(MSG_channel_ringing, call_id(n), 0));
    forget();
    sim("drop-sockets");
    run_until(!is_up());
    hang_up(call_id(n));
}

static void a_hangup_waits_for_the_link(void **state)
{
    (void)state;
    hang_up_blindly(1);
    run_until(find(MSG_channel_ended, call_id(1), 0));
    assert_non_null(find(MSG_channel_found, call_id(1), 0));
}

/* Who answers before the link is back is not cut off by it: whoever asked for it is told, and asks
 * again if he likes. */
static void a_hangup_from_before_does_not_cut_off_an_answer(void **state)
{
    char order[80];

    (void)state;
    hang_up_blindly(1);
    snprintf(order, sizeof order, "answer?channel=%s", call_id(1));
    sim(order);
    run_until(find(MSG_channel_found, call_id(1), 0));
    assert_true(find(MSG_channel_found, call_id(1), 0)->yes);
    run_until(is_up());
    run_for(2 * US_PER_S); /* longer than until a sweep would ask again */
    assert_null(find(MSG_channel_ended, call_id(1), 0));
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
}

static void slow_server_is_not_fed(void **state)
{
    (void)state;
    sim("delay?ms=120");
    for (unsigned i = 1; i <= 60; i++) {
        originate(i);
    }
    run_until(count_of(MSG_originate_failed, "") > 0);
    /* the window is at its smallest, and what waited too long was shed unsent */
    assert_true(pbx->queue.window <= 2);
    for (unsigned i = 0; i < count_of(MSG_originate_failed, ""); i++) {
        assert_int_equal(find(MSG_originate_failed, "", i)->fate, 0);
    }
    sim("delay?ms=0");
    unsigned failed = 0;
    run_until((failed = count_of(MSG_originate_failed, ""),
               failed + count_of(MSG_channel_answered, "") == 60));
    assert_int_equal(witnessed("\"originate\""), 60 - failed);
}

static void taken_over_stops(void **state)
{
    (void)state;
    struct pbx *other = another(&host, 4);
    run_until(link_state(&other->link) == LINK_UP && link_state(&pbx->link) == LINK_REPLACED);
    originate(1);
    assert_int_equal(find(MSG_originate_failed, call_id(1), 0)->fate, 0);
    run_for(500 * US_PER_MS);
    assert_int_equal(link_state(&pbx->link), LINK_REPLACED);
    assert_int_equal(link_state(&other->link), LINK_UP);
    pbx_close(other);
}

static void http_carries_what_the_lanes_cannot(void **state)
{
    (void)state;
    pbx->rest_over_ws = false; /* as with an Asterisk that does not answer there */
    originate(1);
    originate_leg(1, "PJSIP/phone1");
    run_until(find(MSG_channel_answered, call_id(1), 0) &&
              find(MSG_channel_answered, leg_id(1), 0));
    bridge("brg-3fa1-00000007-00000001-00000001", call_id(1), leg_id(1));
    run_until(find(MSG_bridge_added, "", 0));
    assert_int_equal(find(MSG_bridge_added, "", 0)->status, 204);
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
}

static void an_asterisk_without_requests_on_websockets(void **state)
{
    (void)state;
    sim("swallow?requests=1&carried=0");
    forget();
    sim("drop-sockets");
    run_until(find(MSG_pbx_moved, "", 0));
    run_until(is_up());
    assert_false(pbx->rest_over_ws);
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
}

/* The connection ends without an answer, as one does that was idle for too long: whether it was
 * carried out or not, an originate does not go there once more. */
static void over_http_nothing_is_sent_twice(void **state)
{
    (void)state;
    pbx->rest_over_ws = false;
    originate(9); /* with it goes the subscription to the trunk */
    run_until(find(MSG_channel_answered, call_id(9), 0));
    for (unsigned n = 1; n <= 2; n++) {
        sim(n == 1 ? "swallow?requests=1&carried=1" : "swallow?requests=1&carried=0");
        originate(n);
        run_until(find(MSG_originate_failed, call_id(n), 0));
        assert_int_equal(find(MSG_originate_failed, call_id(n), 0)->fate, 2);
    }
    run_until(find(MSG_channel_answered, call_id(1), 0));
    originate(3); /* on another connection */
    run_until(find(MSG_channel_answered, call_id(3), 0));
    assert_int_equal(witnessed("\"originate\""), 3);
    assert_int_equal(count_of(MSG_channel_answered, call_id(2)), 0);
}

static void foreign_channels_are_left_alone(void **state)
{
    (void)state;
    struct ari_host stranger = host;
    stranger.node = 0x1111; /* another installation on the same server */
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
    forget();
    struct pbx *other = another(&stranger, 5);
    run_until(link_state(&other->link) == LINK_UP);
    const struct told *listed = find(MSG_pbx_listed, "", 0);
    assert_int_equal(listed->n1, 0);
    assert_int_equal(listed->n2, 1);
    assert_int_equal(count_of(MSG_channel_found, ""), 0);
    run_for(200 * US_PER_MS);
    assert_int_equal(count_of(MSG_channel_ended, ""), 0);
    pbx_close(other);
}

#define NEARLY "att-3fa1-00000007-00000001-0000000g"

static void rubbish_from_the_server(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"type\":7}",
        "{\"type\":\"ChannelDestroyed\"}",
        "{\"type\":\"ChannelDestroyed\",\"channel\":{\"id\":null}}",
        "{\"type\":\"ChannelDestroyed\",\"channel\":{\"id\":\"" NEARLY "\"}}",
        "{\"type\":\"ChannelDestroyed\",\"channel\":\"att\",\"cause\":\"x\"}",
        "{\"type\":\"StasisStart\",\"channel\":{\"id\":\"1795424352.69\"}}",
        "{\"type\":\"Dial\",\"peer\":[],\"dialstatus\":\"RINGING\"}",
        "{\"type\":\"PlaybackFinished\",\"playback\":{\"target_uri\":\"bridge:x\",\"id\":\"y\"}}",
        "{\"type\":\"RESTResponse\",\"request_id\":\"999\",\"status_code\":200}",
        "{\"type\":\"Nonsense\",\"channel\":{\"id\":\"\xff\"}}",
        "{\"type\":\"ContactStatusChange\",\"endpoint\":{\"technology\":\"PJSIP\"}}",
    };
    forget();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        pbx_event(pbx, texts[i], strlen(texts[i]));
    }
    assert_int_equal(n_told, 0);
    assert_true(is_up());
    assert_int_equal(pbx->chans.count, 0);
    char late[120]; /* a channel of ours that is over, or never was */
    assert_int_equal(counted("dialer_ari_late_events_total"), 0);
    snprintf(late, sizeof late, "{\"type\":\"ChannelDestroyed\",\"channel\":{\"id\":\"%s\"}}",
             call_id(5));
    pbx_event(pbx, late, strlen(late));
    assert_int_equal(counted("dialer_ari_late_events_total"), 1);
    assert_int_equal(n_told, 0);
}

/* A request of which the adapter knows nothing was sent on its lane: its answer is nobody's. */
static void an_answer_to_nobody(void **state)
{
    (void)state;
    static const char request[] = "{\"type\":\"RESTRequest\",\"request_id\":\"4000000000\","
                                  "\"method\":\"GET\",\"uri\":\"channels\"}";
    assert_int_equal(counted("dialer_ari_stray_answers_total"), 0);
    assert_int_equal(net_ws_send(pbx->lanes[LANE_CONTROL].ws, request, sizeof request - 1), NET_OK);
    run_until(counted("dialer_ari_stray_answers_total") == 1);
    assert_true(is_up());
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
}

/* Nothing comes of the daemon's own: a bridge without a name, a message that is no command. */
static void rubbish_from_within(void **state)
{
    (void)state;
    forget();
    assert_int_equal(counted("dialer_ari_bad_commands_total"), 0);
    const struct msg_bridge_create nameless = {.pbx = 3};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_bridge_create, &nameless);
    assert_int_equal(counted("dialer_ari_bad_commands_total"), 1);
    const struct msg_pbx_moved moved = {.pbx = 3};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_pbx_moved, &moved);
    assert_int_equal(counted("dialer_ari_bad_commands_total"), 2);
    run_for(50 * US_PER_MS);
    assert_int_equal(witnessed("\"bridge_created\""), 0);
    assert_int_equal(n_told, 0);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        t(sockets_lost_calls_live),
        t(killed_and_started_anew),
        t(stopped_in_order),
        t(an_answer_that_never_comes),
        t(a_hangup_waits_for_the_link),
        t(a_hangup_from_before_does_not_cut_off_an_answer),
        t(slow_server_is_not_fed),
        t(taken_over_stops),
        t(http_carries_what_the_lanes_cannot),
        t(an_asterisk_without_requests_on_websockets),
        t(over_http_nothing_is_sent_twice),
        t(foreign_channels_are_left_alone),
        t(rubbish_from_the_server),
        t(rubbish_from_within),
        t(an_answer_to_nobody),
    };
    return cmocka_run_group_tests_name("ari_sim_faults", tests, NULL, NULL);
}

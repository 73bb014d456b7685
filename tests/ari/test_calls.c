/* The adapter against the simulated Asterisk: calls as they should go. */
#include "fixture.h"

#include <stdio.h>
#include <string.h>

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static void connects(void **state)
{
    (void)state;
    static const unsigned states[] = {PBX_DOWN, PBX_CONNECTING, PBX_CHECKING, PBX_LISTING, PBX_UP};
    for (unsigned i = 0; i < sizeof states / sizeof states[0]; i++) {
        const struct told *t = find(MSG_pbx_moved, "", i);
        assert_non_null(t);
        assert_int_equal(t->state, states[i]);
        assert_int_equal(t->to, ADDR_DESK);
        assert_false(t->yes);
    }
    assert_int_equal(find(MSG_pbx_listed, "", 0)->n1, 0);
    assert_true(pbx->rest_over_ws);
}

static void a_call_from_first_to_last(void **state)
{
    (void)state;
    originate(1);
    run_until(find(MSG_channel_answered, call_id(1), 0));
    const struct told *ringing = find(MSG_channel_ringing, call_id(1), 0);
    assert_non_null(ringing);
    assert_true(ringing->yes);
    assert_int_equal(ringing->to, named(KIND_CAMPAIGN, 7));
    originate_leg(1, "PJSIP/phone1");
    run_until(find(MSG_channel_answered, leg_id(1), 0));
    assert_int_equal(find(MSG_channel_answered, leg_id(1), 0)->to, named(KIND_AGENT, 9));
    bridge("brg-3fa1-00000007-00000001-00000001", call_id(1), leg_id(1));
    run_until(find(MSG_bridge_added, "", 0));
    const struct told *added = find(MSG_bridge_added, "", 0);
    assert_int_equal(added->status, 204);
    assert_string_equal(added->id2, call_id(1));
    assert_int_equal(added->to, named(KIND_CAMPAIGN, 7));
    hang_up(call_id(1));
    run_until(find(MSG_channel_ended, call_id(1), 0));
    assert_int_equal(find(MSG_channel_ended, call_id(1), 0)->cause, 16);
    const struct msg_bridge_destroy destroy = {
        .pbx = 3, .bridge = words("brg-3fa1-00000007-00000001-00000001")};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_bridge_destroy, &destroy);
    hang_up(leg_id(1));
    run_until(find(MSG_channel_ended, leg_id(1), 0));
    run_for(300 * US_PER_MS);
    /* each told once, whatever came twice */
    assert_int_equal(count_of(MSG_channel_ringing, call_id(1)), 1);
    assert_int_equal(count_of(MSG_channel_answered, call_id(1)), 1);
    assert_int_equal(count_of(MSG_channel_ended, call_id(1)), 1);
    assert_int_equal(count_of(MSG_channel_ended, leg_id(1)), 1);
    assert_int_equal(count_of(MSG_originate_failed, ""), 0);
    assert_int_equal(pbx->chans.count, 0);
    assert_int_equal(witnessed("\"originate\""), 2);
}

static void nothing_leaves_without_its_permit(void **state)
{
    (void)state;
    static const struct {
        const char *number, *endpoint;
    } cases[] = {
        {"+12125550101", "PJSIP/12125550101@carrier"}, /* a permit of nobody's */
        {"+12125550101", "PJSIP/12125550102@carrier"},
    };
    for (unsigned i = 0; i < 2; i++) {
        originate_to(10 + i, cases[i].number, cases[i].endpoint, i ? 1 : 0);
        const struct told *failed = find(MSG_originate_failed, call_id(10 + i), 0);
        assert_non_null(failed);
        assert_int_equal(failed->fate, 0);
        assert_int_equal(failed->status, 0);
    }
    /* a permit for another number of the same attempt */
    originate_to(12, "+12125550112", "PJSIP/12125550112@carrier",
                 secret_permit(host.permits, words(call_id(12)), words("+12125550113")));
    assert_int_equal(count_of(MSG_originate_failed, call_id(12)), 1);
    /* a permit, and a dial string with something else in it */
    static const char *const strings[] = {
        "PJSIP/12125550114@carrier&PJSIP/900@carrier",
        "PJSIP/900@carrier",
        "PJSIP/12125550114 @carrier",
        "PJSIP/12125550114,30@carrier",
    };
    for (unsigned i = 0; i < 4; i++) {
        originate_to(14, "+12125550114", strings[i],
                     secret_permit(host.permits, words(call_id(14)), words("+12125550114")));
        assert_int_equal(count_of(MSG_originate_failed, call_id(14)), i + 1);
    }
    static const char *const numbers[] = {"300&PJSIP/9", "abc", "+1234567890123456789", ""};
    for (unsigned i = 0; i < 4; i++) {
        char endpoint[80];
        snprintf(endpoint, sizeof endpoint, "PJSIP/%s@carrier", numbers[i]);
        originate_to(15, numbers[i], endpoint,
                     secret_permit(host.permits, words(call_id(15)), words(numbers[i])));
        assert_int_equal(count_of(MSG_originate_failed, call_id(15)), i + 1);
    }
    run_for(100 * US_PER_MS);
    assert_int_equal(witnessed("\"originate\""), 0);
    assert_int_equal(pbx->chans.count, 0);
}

/* Nor an agent's leg: its permit is over its id and its phone. */
static void no_leg_leaves_without_its_permit(void **state)
{
    (void)state;
    const uint64_t permits[] = {
        0,
        1, /* nobody's */
        secret_permit(host.permits, words(leg_id(1)), words("PJSIP/phone2")),
        secret_permit(host.permits, words(leg_id(2)), words("PJSIP/phone1")),
    };
    for (unsigned i = 0; i < sizeof permits / sizeof permits[0]; i++) {
        originate_leg_with(1, "PJSIP/phone1", permits[i]);
        assert_int_equal(count_of(MSG_originate_failed, leg_id(1)), i + 1);
        assert_int_equal(find(MSG_originate_failed, leg_id(1), i)->fate, 0);
    }
    run_for(100 * US_PER_MS);
    assert_int_equal(witnessed("\"originate\""), 0);
    assert_int_equal(pbx->chans.count, 0);
    originate_leg(1, "PJSIP/phone1");
    run_until(find(MSG_channel_answered, leg_id(1), 0));
    assert_int_equal(witnessed("\"originate\""), 1);
}

/* The process was stopped between the decision and here. */
static void nothing_leaves_when_its_time_is_over(void **state)
{
    (void)state;
    originate_until(20, net_now_us() - 1);
    const struct told *failed = find(MSG_originate_failed, call_id(20), 0);
    assert_non_null(failed);
    assert_int_equal(failed->fate, 0); /* never sent: the row goes back */
    originate_until(21, net_now_us() + 5 * US_PER_S);
    for (unsigned i = 0; i < 500 && witnessed("\"originate\"") == 0; i++) {
        run_for(10 * US_PER_MS);
    }
    assert_int_equal(witnessed("\"originate\""), 1);
    assert_int_equal(count_of(MSG_originate_failed, call_id(21)), 0);
}

/* No place for it in time: it never left, and the same id and permit are good for another try. */
static void who_waits_too_long_may_ask_again(void **state)
{
    (void)state;
    originate(16);
    run_until(find(MSG_channel_ringing, call_id(16), 0));
    pbx->queue.config.lines = 1;
    originate(17);
    run_until(find(MSG_originate_failed, call_id(17), 0));
    assert_int_equal(find(MSG_originate_failed, call_id(17), 0)->fate, 0);
    assert_true(find(MSG_originate_failed, call_id(17), 0)->yes);
    assert_int_equal(witnessed("\"originate\""), 1);
    pbx->queue.config.lines = 0;
    originate(17);
    run_until(find(MSG_channel_ringing, call_id(17), 0));
    assert_int_equal(witnessed("\"originate\""), 2);
}

static void outcomes(void **state)
{
    (void)state;
    sim("people?human=0&busy=1");
    originate(20);
    run_until(find(MSG_channel_ended, call_id(20), 0));
    const struct told *busy = find(MSG_channel_ended, call_id(20), 0);
    assert_int_equal(busy->cause, 17);
    assert_int_equal(busy->tech_cause, 486);
    sim("people?busy=0&bad=1");
    originate(21);
    run_until(find(MSG_channel_ended, call_id(21), 0));
    assert_int_equal(find(MSG_channel_ended, call_id(21), 0)->tech_cause, 404);
    sim("people?bad=0&human=1&ring=constant:60");
    originate(22);
    run_until(find(MSG_channel_ringing, call_id(22), 0));
    hang_up(call_id(22));
    run_until(find(MSG_channel_ended, call_id(22), 0));
    assert_int_equal(find(MSG_channel_ended, call_id(22), 0)->cause, 16);
    assert_null(find(MSG_channel_answered, "", 0));
}

static unsigned logged;

static void count_refusals(void *ctx, int level, const char *code, const char *line)
{
    (void)ctx;
    logged += level == 2 && strcmp(code, "DLR-ARI-REFUSED") == 0 &&
              strstr(line, "an originate was refused: 500 Allocation failed") != NULL;
}

static void refused_by_the_server(void **state)
{
    void (*log)(void *, int, const char *, const char *) = host.log;

    (void)state;
    host.log = count_refusals;
    sim("trunk?name=carrier&down=1");
    originate(30);
    run_until(find(MSG_originate_failed, call_id(30), 0));
    const struct told *failed = find(MSG_originate_failed, call_id(30), 0);
    assert_int_equal(failed->fate, 1);
    assert_int_equal(failed->status, 500);
    assert_string_equal(failed->text, "Allocation failed");
    originate(33);
    run_until(find(MSG_originate_failed, call_id(33), 0));
    assert_int_equal(logged, 1); /* once a minute is enough */
    host.log = log;
    /* a trunk that does not exist cannot be subscribed to: nothing of it leaves */
    originate_to(31, "+12125550131", "PJSIP/12125550131@nowhere",
                 secret_permit(host.permits, words(call_id(31)), words("+12125550131")));
    run_until(find(MSG_originate_failed, call_id(31), 0));
    /* the same id again while it lives */
    sim("trunk?name=carrier");
    originate(32);
    originate(32);
    run_until(find(MSG_originate_failed, call_id(32), 0) &&
              find(MSG_channel_answered, call_id(32), 0));
    assert_int_equal(find(MSG_originate_failed, call_id(32), 0)->fate, 0);
    assert_int_equal(witnessed(call_id(32)) > 0, 1);
}

static void taken_back_before_it_left(void **state)
{
    (void)state;
    sim("delay?ms=300");
    originate(40);
    hang_up(call_id(40)); /* its POST is on its way: the DELETE waits for the answer */
    run_until(find(MSG_channel_ended, call_id(40), 0) ||
              find(MSG_originate_failed, call_id(40), 0));
    sim("delay?ms=0");
    run_for(200 * US_PER_MS);
    assert_int_equal(count_of(MSG_channel_answered, call_id(40)), 0);
    assert_int_equal(pbx->chans.count, 0);
}

static void sounds(void **state)
{
    (void)state;
    originate(50);
    run_until(find(MSG_channel_answered, call_id(50), 0));
    const char *media[] = {"dialer/message", "dialer/no-such"};
    for (int i = 0; i < 2; i++) {
        const struct msg_play m = {.pbx = 3,
                                   .channel = words(call_id(50)),
                                   .playback = words(i ? "pb-2" : "pb-1"),
                                   .media = words(media[i])};
        pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_play, &m);
        pbx_pump(pbx);
        run_until(find(MSG_playback_over, call_id(50), (unsigned)i));
        const struct told *over = find(MSG_playback_over, call_id(50), (unsigned)i);
        assert_int_equal(over->yes, i == 0);
        assert_string_equal(over->id2, i ? "pb-2" : "pb-1");
        assert_int_equal(over->to, named(KIND_CAMPAIGN, 7));
        const struct msg_check_sound check = {.pbx = 3, .campaign = 7, .media = words(media[i])};
        pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_check_sound, &check);
        pbx_pump(pbx);
        run_until(find(MSG_sound_checked, media[i], 0));
        assert_int_equal(find(MSG_sound_checked, media[i], 0)->yes, i == 0);
        assert_int_equal(find(MSG_sound_checked, media[i], 0)->state, RESULT_OK);
    }
    const struct msg_play gone = {
        .pbx = 3, .channel = words(call_id(51)), .playback = words("pb-3"), .media = words("x")};
    pbx_take(pbx, named(KIND_CAMPAIGN, 7), MSG_play, &gone);
    pbx_pump(pbx);
    run_until(find(MSG_playback_over, call_id(51), 0));
    assert_false(find(MSG_playback_over, call_id(51), 0)->yes);
    sim("dtmf?channel=att-3fa1-00000007-00000001-00000032&digits=5");
    run_until(find(MSG_digit, call_id(50), 0));
    assert_string_equal(find(MSG_digit, call_id(50), 0)->id2, "5");
    run_for(50 * US_PER_MS);
    assert_int_equal(count_of(MSG_digit, ""), 1);
    assert_int_equal(count_of(MSG_playback_over, call_id(50)), 2);
}

/* Each is answered to whoever asked, with what became of it. */
static void a_voice_and_keys(void **state)
{
    (void)state;
    originate_leg(70, "PJSIP/phone1");
    run_until(find(MSG_channel_answered, leg_id(70), 0));
    for (unsigned i = 0; i < 3; i++) {
        const struct msg_mute m = {
            .pbx = 3, .channel = words(leg_id(i < 2 ? 70 : 71)), .on = i == 0};
        pbx_take(pbx, named(KIND_AGENT, 9), MSG_mute, &m);
        pbx_pump(pbx);
        run_until(count_of(MSG_muted, "") == i + 1);
        const struct told *t = find(MSG_muted, "", i);
        assert_int_equal(t->status, i < 2 ? 204 : 404);
        assert_int_equal(t->yes, i == 0);
        assert_int_equal(t->to, named(KIND_AGENT, 9));
    }
    assert_int_equal(witnessed("\"what\":\"mute\""), 1);
    assert_int_equal(witnessed("\"what\":\"unmute\""), 1);
    assert_int_equal(witnessed("\"direction\":\"in\""), 2);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const keys[] = {"12#*", "5", ""};
        const struct msg_dtmf m = {.pbx = 3,
                                   .channel = words(leg_id(i == 1 ? 71 : 70)),
                                   .digits = words(keys[i]),
                                   .client = 4,
                                   .request = 10 + i};
        pbx_take(pbx, named(KIND_AGENT, 9), MSG_dtmf, &m);
        pbx_pump(pbx);
        run_until(count_of(MSG_dtmf_sent, "") == i + 1);
        const struct told *t = find(MSG_dtmf_sent, "", i);
        assert_int_equal(t->status, i == 0 ? 204 : i == 1 ? 404 : 400);
        assert_int_equal(t->n1, 4);
        assert_int_equal(t->n2, 10 + i);
    }
    assert_int_equal(witnessed("\"digits\":\"12#*\""), 1);
}

static void phones(void **state)
{
    (void)state;
    for (int i = 1; i <= 20; i++) {
        char name[32];
        snprintf(name, sizeof name, "PJSIP/phone%d", i);
        const struct msg_watch_endpoint m = {.pbx = 3, .endpoint = words(name)};
        pbx_take(pbx, ADDR_DESK, MSG_watch_endpoint, &m);
    }
    const struct msg_watch_endpoint none = {.pbx = 3, .endpoint = words("PJSIP/stranger")};
    pbx_take(pbx, ADDR_DESK, MSG_watch_endpoint, &none);
    const struct msg_watch_endpoint bad = {.pbx = 3, .endpoint = words("nonsense")};
    pbx_take(pbx, ADDR_DESK, MSG_watch_endpoint, &bad);
    run_until(count_of(MSG_endpoint_state, "") == 21);
    assert_true(find(MSG_endpoint_state, "PJSIP/phone20", 0)->yes);
    assert_false(find(MSG_endpoint_state, "PJSIP/stranger", 0)->yes);
    sim("register?endpoint=phone3&on=0");
    run_until(find(MSG_endpoint_state, "PJSIP/phone3", 1));
    assert_false(find(MSG_endpoint_state, "PJSIP/phone3", 1)->yes);
    assert_int_equal(find(MSG_endpoint_state, "PJSIP/phone3", 1)->to, ADDR_DESK);
    /* a leg to a watched phone brings every event twice: it is told once */
    originate_leg(60, "PJSIP/phone4");
    run_until(find(MSG_channel_answered, leg_id(60), 0));
    hang_up(leg_id(60));
    run_until(find(MSG_channel_ended, leg_id(60), 0));
    run_for(200 * US_PER_MS);
    assert_int_equal(count_of(MSG_channel_answered, leg_id(60)), 1);
    assert_int_equal(count_of(MSG_endpoint_state, "PJSIP/phone3"), 2); /* Asterisk said it twice */
    assert_int_equal(count_of(MSG_channel_ended, leg_id(60)), 1);
}

static void bridging_what_is_not_there(void **state)
{
    (void)state;
    bridge("brg-3fa1-00000007-00000001-00000005", call_id(70), "");
    run_until(find(MSG_bridge_added, "", 0));
    assert_int_equal(find(MSG_bridge_added, "", 0)->status, 400);
}

static void a_hundred_calls(void **state)
{
    (void)state;
    for (unsigned i = 100; i < 200; i++) {
        originate(i);
    }
    run_until(count_of(MSG_channel_answered, "") == 100);
    for (unsigned i = 100; i < 200; i++) {
        hang_up(call_id(i));
    }
    run_until(count_of(MSG_channel_ended, "") == 100);
    run_for(100 * US_PER_MS);
    assert_int_equal(pbx->chans.count, 0);
    assert_int_equal(count_of(MSG_originate_failed, ""), 0);
    assert_int_equal(witnessed("\"originate\""), 100);
}

int main(void)
{
#define t(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        t(connects),
        t(a_call_from_first_to_last),
        t(nothing_leaves_without_its_permit),
        t(no_leg_leaves_without_its_permit),
        t(nothing_leaves_when_its_time_is_over),
        t(who_waits_too_long_may_ask_again),
        t(outcomes),
        t(refused_by_the_server),
        t(taken_back_before_it_left),
        t(sounds),
        t(a_voice_and_keys),
        t(phones),
        t(bridging_what_is_not_there),
        t(a_hundred_calls),
    };
    return cmocka_run_group_tests_name("ari_sim_calls", tests, NULL, NULL);
}

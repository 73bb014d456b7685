// The model with a made-up clock: what the transcripts do not show.
#include "tests/ari-sim/world.h"

// --- callees ---

static void fate_follows_from_seed_and_number(void **state)
{
    (void)state;
    struct population p;
    population_default(&p);
    int same = 0, humans = 0, busy = 0;
    enum { NUMBERS = 20000 };
    for (int i = 0; i < NUMBERS; i++) {
        char number[24];
        struct far_end a, b, other;
        snprintf(number, sizeof number, "+1%03d55501%02d", 200 + i / 100, i % 100);
        far_draw(&a, &p, 7, number, 0);
        far_draw(&b, &p, 7, number, 0);
        far_draw(&other, &p, 8, number, 0);
        assert_memory_equal(a.step, b.step, sizeof a.step);
        assert_string_equal(a.fate, b.fate);
        same += strcmp(a.fate, other.fate) == 0;
        humans += strcmp(a.fate, "human") == 0;
        busy += strcmp(a.fate, "busy") == 0;
    }
    assert_in_range(same, NUMBERS / 6, NUMBERS / 2);
    assert_in_range(humans, (int)(NUMBERS * 0.285), (int)(NUMBERS * 0.315));
    assert_in_range(busy, (int)(NUMBERS * 0.07), (int)(NUMBERS * 0.09));
}

static void distributions_have_their_mean(void **state)
{
    (void)state;
    static const char *const texts[] = {"constant:10", "exponential:10", "lognormal:10,0.8"};
    for (size_t k = 0; k < 3; k++) {
        struct population p = {.human = 1};
        double sum = 0;
        assert_int_equal(dist_parse(&p.talk, texts[k]), 0);
        for (uint32_t i = 0; i < 20000; i++) {
            struct far_end f;
            far_draw(&f, &p, 1, "+442079460000", i);
            assert_int_equal(f.steps, 3);
            sum += f.step[2].at_ms;
        }
        assert_in_range((int)(sum / 20000), 9600, 10400);
    }
    struct dist d;
    assert_int_not_equal(dist_parse(&d, "lognormal:10"), 0);
    assert_int_not_equal(dist_parse(&d, "constant:-1"), 0);
    assert_int_not_equal(dist_parse(&d, "constant:1x"), 0);
    assert_int_not_equal(dist_parse(&d, "normal:1"), 0);
}

static void scripts_are_told_from_numbers(void **state)
{
    (void)state;
    struct far_end f;
    static const char *const scripts[] = {"r100-a400-h1500", "c486",     "s",
                                          "r50-n",           "a50-d12#", "c302-ta100"};
    static const char *const others[] = {
        "",  "+12125550100", "5551234",      "x9",     "r",    "c200", "r100-", "rx",
        "q", "a1-b2",        "r99999999999", "a50-dZ", "hello"};
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        assert_int_equal(far_parse(&f, scripts[i]), 0);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_not_equal(far_parse(&f, others[i]), 0);
    assert_int_equal(far_parse(&f, "r100-a400-h1500-H17"), 0);
    assert_int_equal(f.steps, 3);
    assert_int_equal(f.step[2].at_ms, 2000);
    assert_int_equal(f.step[2].arg, 17);
}

static void shares_are_checked(void **state)
{
    (void)state;
    struct population p = {.human = 0.6, .busy = 0.6};
    assert_non_null(population_check(&p));
    p.busy = 0.4;
    assert_null(population_check(&p));
    p.busy = -0.1;
    assert_non_null(population_check(&p));
}

// --- trunks and phones ---

static void trunk_refuses_over_its_rate(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.trunk[0].cps = 10;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    for (int i = 0; i < 12; i++) {
        char id[20];
        snprintf(id, sizeof id, "id%03d", i);
        assert_int_equal(originate(w, id, "r50-n@carrier"), 200);
        pass(w, 10);
    }
    pass(w, 100);
    assert_int_equal(count(w->events, "\"dialstatus\":\"CONGESTION\""), 2);
    assert_int_equal(count(w->events, "\"tech_cause\":503"), 4);
    pass(w, 1000);
    assert_int_equal(originate(w, "later", "r50-n@carrier"), 200);
    pass(w, 100);
    assert_int_equal(count(w->events, "\"dialstatus\":\"CONGESTION\""), 2);
    world_free(w);
}

static void trunk_has_its_lines(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.trunk[0].lines = 2;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    originate(w, "one", "r50-n@carrier");
    originate(w, "two", "r50-n@carrier");
    originate(w, "three", "r50-n@carrier");
    pass(w, 200);
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"id\":\"three\""));
    assert_false(event_with(w, "\"ChannelDestroyed\"", "\"id\":\"two\""));
    struct pbx_trunk down = {.name = "carrier", .down = true};
    assert_true(pbx_trunk_set(w->pbx, &down));
    assert_int_equal(originate(w, "four", "r50-n@carrier"), 500);
    strcpy(down.name, "nosuch");
    assert_false(pbx_trunk_set(w->pbx, &down));
    world_free(w);
}

static void phones_answer_refuse_or_are_absent(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.phones = 3;
    config.phone[1] = (struct pbx_phone){.pattern = "busyphone", .refuse = 486};
    config.phone[2] = (struct pbx_phone){.pattern = "gone", .unregistered = true};
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    assert_int_equal(originate(w, "leg-1", "agent7"), 200);
    assert_int_equal(originate(w, "leg-2", "busyphone"), 200);
    assert_int_equal(originate(w, "leg-3", "gone"), 500);
    pass(w, 150);
    assert_false(event_with(w, "\"StasisStart\"", "\"id\":\"leg-1\""));
    pass(w, 100);
    assert_true(event_with(w, "\"StasisStart\"", "\"id\":\"leg-1\""));
    assert_true(event_with(w, "\"tech_cause\":486", "\"id\":\"leg-2\""));
    pass(w, 3600000);
    assert_int_equal(request(w, "GET", "channels/leg-1", "", ""), 200);
    assert_true(pbx_register(w->pbx, "agent7", false));
    assert_int_equal(originate(w, "leg-4", "agent7"), 500);
    assert_int_equal(request(w, "GET", "endpoints/PJSIP/agent7", "", ""), 200);
    assert_non_null(strstr(w->body, "\"offline\""));
    world_free(w);
}

// --- customers in the dialplan ---

static void customer(struct world *w, const char *id, const char *endpoint)
{
    char query[300];
    snprintf(query, sizeof query,
             "endpoint=PJSIP/%s&context=customers&extension=s&channelId=%s&timeout=9", endpoint,
             id);
    assert_int_equal(request(w, "POST", "channels", query,
                             "{\"variables\":{\"SAFE_HARBOUR\":\"dialer/message\"}}"),
                     200);
}

static void an_answer_without_a_client_hears_the_message(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    customer(w, "att-1", "a100@carrier");
    pass(w, 200);
    assert_int_equal(count(w->witness, "\"what\":\"no_client\""), 1);
    pass(w, 1600);
    assert_int_equal(count(w->witness, "\"what\":\"no_client\""), 4);
    assert_int_equal(count(w->witness, "\"what\":\"message\""), 1);
    assert_int_equal(count(w->witness, "\"what\":\"message_end\""), 0);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    assert_int_equal(request(w, "POST", "channels/att-1/move", "app=dialer", ""), 409);
    pass(w, 5100);
    assert_int_equal(count(w->witness, "\"what\":\"message_end\""), 1);
    assert_int_equal(count(w->witness, "\"by\":\"dialplan\""), 1);
    assert_int_equal(request(w, "GET", "channels/att-1", "", ""), 404);
    world_free(w);
}

static void a_client_that_is_back_gets_the_answer(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    customer(w, "att-1", "a100@carrier");
    pass(w, 700);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    pass(w, 500);
    assert_true(event_with(w, "\"StasisStart\"", "\"id\":\"att-1\""));
    assert_int_equal(count(w->witness, "\"what\":\"message\""), 0);
    world_free(w);
}

static void a_missing_message_is_seen(void **state)
{
    (void)state;
    struct world *w = world_new();
    pbx_client_close(w->pbx, w->client);
    request(w, "POST", "channels",
            "endpoint=PJSIP/a100@carrier&context=customers&extension=s&channelId=att-1",
            "{\"variables\":{\"SAFE_HARBOUR\":\"no/such\"}}");
    pass(w, 3000);
    assert_int_equal(count(w->witness, "\"what\":\"message_missing\""), 1);
    assert_int_equal(request(w, "GET", "channels/att-1", "", ""), 404);
    assert_int_equal(request(w, "GET", "sounds/dialer%2Fmessage", "", ""), 200);
    assert_int_equal(request(w, "GET", "sounds/no%2Fsuch", "", ""), 404);
    world_free(w);
}

// --- races that the transcripts leave to chance ---

static void dial_right_after_create(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct pbx_config config;
        plain_config(&config);
        config.early_events = late;
        struct world *w = world_with(&config);
        w->client = pbx_client_open(w->pbx, "dialer", false, w);
        request(w, "POST", "channels/create",
                "endpoint=PJSIP/c486@carrier&app=dialer&channelId=made", "");
        pass(w, 1);
        assert_int_equal(request(w, "POST", "channels/made/dial", "", ""), late ? 409 : 204);
        pass(w, 100);
        assert_int_equal(request(w, "GET", "channels/made", "", ""), late ? 200 : 404);
        world_free(w);
    }
}

static void continue_to_an_absent_extension_drops_the_call(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "call", "a50@carrier");
    pass(w, 100);
    assert_int_equal(
        request(w, "POST", "channels/call/continue", "context=nowhere&extension=z", ""), 204);
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"cause\":0"));
    world_free(w);
}

static void an_event_may_come_before_its_answer(void **state)
{
    (void)state;
    struct pbx_config config;
    plain_config(&config);
    config.early_events = 1;
    struct world *w = world_with(&config);
    w->client = pbx_client_open(w->pbx, "dialer", false, w);
    originate(w, "early", "a50@carrier");
    assert_true(event_with(w, "\"type\":\"Dial\"", "\"id\":\"early\"")); // no time has passed
    world_free(w);
}

// --- what a test does from outside ---

static void far_ends_obey(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "call", "r50-n@carrier");
    pass(w, 100);
    assert_false(pbx_far_dtmf(w->pbx, "call", "1"));
    assert_true(pbx_far_answer(w->pbx, "call"));
    assert_false(pbx_far_answer(w->pbx, "call"));
    assert_true(pbx_far_dtmf(w->pbx, "call", "12"));
    assert_false(pbx_far_dtmf(w->pbx, "call", "z"));
    assert_int_equal(count(w->events, "\"ChannelDtmfReceived\""), 2);
    assert_true(pbx_far_hold(w->pbx, "call", true));
    assert_true(pbx_far_hangup(w->pbx, "call", 17));
    assert_true(event_with(w, "\"ChannelDestroyed\"", "\"cause\":17"));
    assert_false(pbx_far_hangup(w->pbx, "call", -1));
    struct pbx_call call = {"agent1", "in-1", "5551000", "inbound", "600"};
    assert_true(pbx_inbound(w->pbx, &call));
    assert_false(pbx_inbound(w->pbx, &call));
    assert_true(event_with(w, "\"StasisStart\"", "\"args\":[\"inbound\",\"600\"]"));
    world_free(w);
}

static void stop_tells_and_kill_does_not(void **state)
{
    (void)state;
    for (int hard = 0; hard < 2; hard++) {
        struct world *w = world_new();
        originate(w, "call", "a50@carrier");
        request(w, "POST", "bridges/br", "", "");
        pass(w, 100);
        pbx_stop(w->pbx, hard);
        assert_int_equal(event_with(w, "\"ChannelHangupRequest\"", "\"cause\":4"), !hard);
        assert_int_equal(pbx_live_channels(w->pbx), 0);
        pbx_client_close(w->pbx, w->client);
        pass(w, 1000);
        request(w, "GET", "asterisk/info", "only=status", "");
        char before[sizeof w->body];
        strcpy(before, w->body);
        pbx_boot(w->pbx);
        request(w, "GET", "asterisk/info", "only=status", "");
        assert_string_not_equal(before, w->body);
        assert_int_equal(request(w, "GET", "bridges/br", "", ""), 404);
        assert_int_equal(request(w, "GET", "applications/dialer", "", ""), 404);
        assert_int_equal(originate(w, "call", "a50@carrier"), 200);
        world_free(w);
    }
}

static void the_witness_sees_everything(void **state)
{
    (void)state;
    struct world *w = world_new();
    originate(w, "leg-1", "agent1");
    customer(w, "att-1", "a300@carrier");
    originate(w, "x", "1@nosuch");
    pass(w, 400);
    request(w, "POST", "bridges/brg-1", "", "");
    request(w, "POST", "bridges/brg-1/addChannel", "channel=leg-1,att-1", "");
    request(w, "DELETE", "channels/att-1", "", "");
    pass(w, 10);
    static const char *const lines[] = {
        "\"what\":\"originate\",\"id\":\"leg-1\",\"kind\":\"leg\"",
        "\"what\":\"originate\",\"id\":\"att-1\",\"kind\":\"customer\"",
        "\"what\":\"answer\",\"id\":\"att-1\"",
        "\"what\":\"bridge_enter\",\"id\":\"att-1\",\"kind\":\"customer\",\"bridge\":\"brg-1\"",
        "\"what\":\"bridge_leave\",\"id\":\"att-1\"",
        "\"what\":\"end\",\"id\":\"att-1\",\"kind\":\"customer\",\"by\":\"us\",\"cause\":16",
        "\"fate\":\"failed\",\"status\":500",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_non_null(strstr(w->witness, lines[i]));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fate_follows_from_seed_and_number),
        cmocka_unit_test(distributions_have_their_mean),
        cmocka_unit_test(scripts_are_told_from_numbers),
        cmocka_unit_test(shares_are_checked),
        cmocka_unit_test(trunk_refuses_over_its_rate),
        cmocka_unit_test(trunk_has_its_lines),
        cmocka_unit_test(phones_answer_refuse_or_are_absent),
        cmocka_unit_test(an_answer_without_a_client_hears_the_message),
        cmocka_unit_test(a_client_that_is_back_gets_the_answer),
        cmocka_unit_test(a_missing_message_is_seen),
        cmocka_unit_test(dial_right_after_create),
        cmocka_unit_test(continue_to_an_absent_extension_drops_the_call),
        cmocka_unit_test(an_event_may_come_before_its_answer),
        cmocka_unit_test(far_ends_obey),
        cmocka_unit_test(stop_tells_and_kill_does_not),
        cmocka_unit_test(the_witness_sees_everything),
    };
    return cmocka_run_group_tests_name("ari_sim_model", tests, NULL, NULL);
}

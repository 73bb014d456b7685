/* ARI's words: what is read of an event, what a command becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "adapters/ari/wire.h"

#include <stdio.h>
#include <string.h>

#define CALL "att-3fa1-00000007-00000001-0000000a"
#define LEG "leg-3fa1-00000009-00000001-0000000b"

static struct text words(const char *s)
{
    return (struct text){s, (uint32_t)strlen(s)};
}

static void owners(void **state)
{
    (void)state;
    uint16_t node = 0;
    assert_int_equal(wire_owner(words(CALL), &node), named(KIND_CAMPAIGN, 7));
    assert_int_equal(node, 0x3fa1);
    assert_int_equal(wire_owner(words(LEG), NULL), named(KIND_AGENT, 9));
    static const char *const foreign[] = {
        "",
        "1795424352.69",
        "att",
        "att-3fa1-00000007-00000001-0000000",
        "att-3fa1-00000007-00000001-0000000ab",
        "att-3FA1-00000007-00000001-0000000a",
        "att-3fa1-00000007-00000001-0000000g",
        "att-3fa1x00000007-00000001-0000000a",
        "brg-3fa1-00000007-00000001-0000000a",
        "ATT-3fa1-00000007-00000001-0000000a",
        "att-3fa1-00000007-0000000100000000a",
    };
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        assert_int_equal(wire_owner(words(foreign[i]), &node), HANDLE_NONE);
    }
}

static void endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *dial, *endpoint;
    } cases[] = {
        {"PJSIP/+12125550123@carrier", "PJSIP/carrier"},
        {"PJSIP/carrier", "PJSIP/carrier"},
        {"PJSIP/agent/sip:a50@127.0.0.1:5090", "PJSIP/agent"},
        {"SIP/1@2@trunk-a", "SIP/trunk-a"},
        {"Local/5@context", NULL},
        {"nothing", NULL},
        {"/x", NULL},
        {"PJSIP/", NULL},
        {"PJSIP/5@", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32];
        bool has = wire_endpoint_of(words(cases[i].dial), out, sizeof out);
        assert_int_equal(has, cases[i].endpoint != NULL);
        if (has) {
            assert_string_equal(out, cases[i].endpoint);
        }
    }
    char small[8];
    assert_false(wire_endpoint_of(words("PJSIP/carrier"), small, sizeof small));
}

static void times(void **state)
{
    (void)state;
    assert_true(wire_time(words("1970-01-01T00:00:01.500+0000")) == 1500);
    assert_true(wire_time(words("2026-11-23T10:02:38.891+0000")) == INT64_C(1795428158891));
    assert_true(wire_time(words("2026-11-23T12:02:38.891+0200")) == INT64_C(1795428158891));
    assert_true(wire_time(words("2026-11-23T05:32:38.891-0430")) == INT64_C(1795428158891));
    assert_true(wire_time(words("yesterday, in the afternoon....")) == 0);
    assert_true(wire_time(words("")) == 0);
    assert_true(wire_time(words("2000-02-29T00:00:00.000+0000")) == INT64_C(951782400000));
    assert_true(wire_time(words("2100-03-01T00:00:00.000+0000")) == INT64_C(4107542400000));
    assert_true(wire_time(words("2024-12-31T23:59:60.999+0000")) == INT64_C(1735689600999));
    assert_true(wire_time(words("2026-13-23T10:02:38.891+0000")) == 0);
    assert_true(wire_time(words("2026-11-23T24:02:38.891+0000")) == 0);
    assert_true(wire_time(words("2026-11-23T10:02:38,891+0000")) == 0);
    assert_true(wire_time(words("2026-11-23T10:02:38.891Z0000")) == 0);
    assert_true(wire_time(words("2026-11- 3T10:02:38.891+0000")) == 0);
}

static struct json doc;

static struct wire_event event(const char *text)
{
    struct wire_event e;
    if (wire_read(&doc, text, strlen(text), &e) != 0) {
        fail_msg("%s: %s", text, doc.error);
    }
    return e;
}

static void is(struct text t, const char *word)
{
    assert_int_equal(t.len, strlen(word));
    assert_memory_equal(t.ptr, word, t.len);
}

static void events(void **state)
{
    (void)state;
    json_init(&doc, 0);
    struct wire_event e =
        event("{\"type\":\"Dial\",\"timestamp\":\"2026-11-23T10:02:38.891+0000\",\"dialstatus\":"
              "\"RINGING\",\"peer\":{\"id\":\"" CALL "\"},\"application\":\"dialer\"}");
    assert_int_equal(e.kind, WIRE_RINGING);
    is(e.channel, CALL);
    is(e.application, "dialer");
    assert_true(e.at_wall_ms == INT64_C(1795428158891));
    assert_int_equal(
        event("{\"type\":\"Dial\",\"dialstatus\":\"PROGRESS\",\"peer\":{\"id\":\"x\"}}").kind,
        WIRE_RINGING);
    assert_int_equal(event("{\"type\":\"Dial\",\"dialstatus\":\"\",\"peer\":{\"id\":\"x\"}}").kind,
                     WIRE_OTHER);
    assert_int_equal(event("{\"type\":\"Dial\",\"dialstatus\":\"BUSY\"}").kind, WIRE_OTHER);
    e = event("{\"type\":\"StasisStart\",\"args\":[\"customer\"],\"channel\":{\"id\":\"" CALL
              "\"}}");
    assert_int_equal(e.kind, WIRE_ANSWERED);
    is(e.channel, CALL);
    e = event(
        "{\"type\":\"ChannelDestroyed\",\"cause\":17,\"tech_cause\":486,\"channel\":{\"id\":\"" CALL
        "\"}}");
    assert_int_equal(e.kind, WIRE_ENDED);
    assert_int_equal(e.cause, 17);
    assert_int_equal(e.tech_cause, 486);
    e = event("{\"type\":\"ChannelDestroyed\",\"cause\":-5,\"tech_cause\":70000,\"channel\":{}}");
    assert_int_equal(e.cause, 0);
    assert_int_equal(e.tech_cause, 0);
    is(e.channel, "");
    e = event("{\"type\":\"PlaybackFinished\",\"playback\":{\"id\":\"pb\",\"state\":\"failed\","
              "\"target_uri\":"
              "\"channel:" CALL "\"}}");
    assert_int_equal(e.kind, WIRE_PLAYBACK_OVER);
    assert_false(e.ok);
    is(e.channel, CALL);
    is(e.playback, "pb");
    e = event("{\"type\":\"ChannelDtmfReceived\",\"digit\":\"#\",\"channel\":{\"id\":\"x\"}}");
    assert_int_equal(e.kind, WIRE_DIGIT);
    is(e.digit, "#");
    e = event(
        "{\"type\":\"PeerStatusChange\",\"endpoint\":{\"technology\":\"PJSIP\",\"resource\":\"p\","
        "\"state\":\"online\"}}");
    assert_int_equal(e.kind, WIRE_ENDPOINT);
    assert_true(e.ok);
    e = event("{\"type\":\"RESTResponse\",\"request_id\":\"12\",\"status_code\":204}");
    assert_int_equal(e.kind, WIRE_RESPONSE);
    is(e.request, "12");
    assert_int_equal(e.status, 204);
    is(e.body, "");
    assert_int_equal(event("{\"type\":\"ApplicationReplaced\"}").kind, WIRE_REPLACED);
    assert_int_equal(event("{\"type\":\"ChannelVarset\",\"channel\":7}").kind, WIRE_OTHER);
    json_free(&doc);
}

static struct wire_request r;
static char why[128];

static struct msg_originate_call a_call(void)
{
    return (struct msg_originate_call){
        .attempt = words(CALL),
        .endpoint = words("PJSIP/12125550123@carrier"),
        .number = words("+12125550123"),
        .context = words("customers,go on"),
        .caller_id = words("+12125550100"),
        .message = words("dialer/\"x\""),
        .ring_s = 25,
    };
}

static void originates(void **state)
{
    (void)state;
    struct msg_originate_call m = a_call();
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), 0);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.uri, "channels?endpoint=PJSIP%2F12125550123%40carrier&channelId=" CALL
                               "&callerId=%2B12125550100&timeout=25&context=customers&extension="
                               "go%20on&priority=1");
    assert_string_equal(r.body, "{\"variables\":{\"SAFE_HARBOUR\":\"dialer/\\\"x\\\"\"}}");
    m.context = words("customers");
    m.ring_s = 0;
    m.caller_id = words("");
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), 0);
    assert_non_null(strstr(r.uri, "&timeout=30&context=customers&extension=s&"));
    assert_null(strstr(r.uri, "callerId"));
    static const struct {
        const char *endpoint, *number;
    } bad[] = {
        {"PJSIP/12125550123@carrier", ""},
        {"PJSIP/12125550123@carrier", "+"},
        {"PJSIP/12125550123@carrier", "+12125550124"},
        {"PJSIP/12125550123@carrier", "12125550123x"},
        {"PJSIP/12125550123@carrier", "300&PJSIP/1"},
        {"PJSIP/12125550123@carrier", "+1212555012312125550123"},
        {"PJSIP/12125550123@carrier&PJSIP/1@carrier", "+12125550123"},
        {"PJSIP/12125550123 @carrier", "+12125550123"},
        {"PJSIP/12125550123\n@carrier", "+12125550123"},
        {"", "+12125550123"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        m = a_call();
        m.endpoint = words(bad[i].endpoint);
        m.number = words(bad[i].number);
        why[0] = '\0';
        assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), -1);
        assert_true(why[0] != '\0');
    }
    m = a_call();
    m.context = words("");
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), -1);
    char big[3000];
    memset(big, 'x', sizeof big);
    m = a_call();
    m.context = (struct text){big, sizeof big};
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), -1);
    m = a_call();
    m.message = (struct text){big, sizeof big};
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), -1);

    struct msg_originate_leg leg = {
        .leg = words(LEG), .endpoint = words("PJSIP/agent7"), .caller_id = words(""), .ring_s = 15};
    assert_int_equal(wire_originate_leg(&leg, "dialer", &r, why, sizeof why), 0);
    assert_string_equal(r.uri, "channels?endpoint=PJSIP%2Fagent7&channelId=" LEG
                               "&timeout=15&app=dialer&appArgs=agent");
    assert_int_equal(r.body_len, 0);
    leg.endpoint = words("PJSIP/a&PJSIP/b");
    assert_int_equal(wire_originate_leg(&leg, "dialer", &r, why, sizeof why), -1);
}

static void other_requests(void **state)
{
    (void)state;
    assert_int_equal(wire_hangup(words("a/b;c"), &r), 0);
    assert_string_equal(r.uri, "channels/a%2Fb%3Bc");
    assert_string_equal(r.method, "DELETE");
    assert_int_equal(wire_hangup(words(""), &r), -1); /* would be another request */
    assert_int_equal(wire_bridge_add(words("b"), words("one"), words("two"), &r), 0);
    assert_string_equal(r.uri, "bridges/b/addChannel?channel=one,two");
    assert_int_equal(wire_bridge_add(words("b"), words("one"), words(""), &r), 0);
    assert_string_equal(r.uri, "bridges/b/addChannel?channel=one");
    assert_int_equal(wire_play(words("c"), words("p"), words("dialer/message"), &r), 0);
    assert_string_equal(r.uri, "channels/c/play?media=sound%3Adialer%2Fmessage&playbackId=p");
    assert_int_equal(wire_mute(words("leg-1"), true, &r), 0);
    assert_string_equal(r.method, "POST");
    assert_string_equal(r.uri, "channels/leg-1/mute?direction=in");
    assert_int_equal(wire_mute(words("leg-1"), false, &r), 0);
    assert_string_equal(r.method, "DELETE");
    assert_int_equal(wire_dtmf(words("att-1"), words("1#"), &r), 0);
    assert_string_equal(r.uri, "channels/att-1/dtmf?dtmf=1%23");
    assert_int_equal(wire_dtmf(words("att-1"), words(""), &r), -1);
    assert_int_equal(wire_music(words("b"), false, &r), 0);
    assert_string_equal(r.method, "DELETE");
    assert_int_equal(wire_endpoint_get("PJSIP/phone1", &r), 0);
    assert_string_equal(r.uri, "endpoints/PJSIP/phone1");
    assert_int_equal(wire_subscribe("dialer", "PJSIP/carrier", &r), 0);
    assert_string_equal(r.uri,
                        "applications/dialer/subscription?eventSource=endpoint%3APJSIP%2Fcarrier");
    assert_int_equal(wire_filter("dialer", &r), 0);
    assert_non_null(strstr(r.body, "RESTResponse"));
    assert_null(strstr(r.body, "ChannelVarset"));
}

static void frames(void **state)
{
    (void)state;
    char frame[4096];
    struct msg_originate_call m = a_call();
    assert_int_equal(wire_originate_call(&m, &r, why, sizeof why), 0);
    size_t len = wire_frame(&r, 42, frame, sizeof frame);
    assert_true(len > 0);
    json_init(&doc, 0);
    assert_int_equal(json_parse(&doc, frame, len), 0);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "type"), ""), "RESTRequest");
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "request_id"), ""), "42");
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "uri"), ""), r.uri);
    assert_string_equal(json_str(&doc, json_get(&doc, JSON_ROOT, "message_body"), ""), r.body);
    assert_int_equal(wire_frame(&r, 42, frame, 100), 0);
    json_free(&doc);
}

static void listed_channels(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"id\":\"a\",\"state\":\"Up\",\"dialplan\":{\"app_name\":\"Stasis\",\"app_data\":"
        "\"dialer,customer\"}},"
        "{\"id\":\"b\",\"state\":\"Up\",\"dialplan\":{\"app_name\":\"Playback\",\"app_data\":\"m\"}"
        "},"
        "{\"id\":\"c\",\"state\":\"Ringing\",\"dialplan\":{\"app_name\":\"AppDial2\"}},"
        "{\"id\":\"d\",\"state\":\"Up\",\"dialplan\":{\"app_name\":\"Stasis\",\"app_data\":"
        "\"dialer2,x\"}},7,{}]";
    static const bool up[] = {true, true, false, true};
    static const bool in_app[] = {true, false, false, false};
    json_init(&doc, 0);
    assert_int_equal(json_parse(&doc, text, sizeof text - 1), 0);
    int n = 0;
    for (json_ref i = json_first(&doc, JSON_ROOT); i != JSON_NONE; i = json_next(&doc, i)) {
        struct wire_channel c;
        bool is_one = wire_channel(&doc, i, "dialer", &c);
        assert_int_equal(is_one, n < 4);
        if (is_one) {
            assert_int_equal(c.up, up[n]);
            assert_int_equal(c.in_app, in_app[n]);
        }
        n++;
    }
    json_free(&doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owners),     cmocka_unit_test(endpoints),
        cmocka_unit_test(times),      cmocka_unit_test(events),
        cmocka_unit_test(originates), cmocka_unit_test(other_requests),
        cmocka_unit_test(frames),     cmocka_unit_test(listed_channels),
    };
    return cmocka_run_group_tests_name("ari_wire", tests, NULL, NULL);
}

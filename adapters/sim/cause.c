// SIP final codes, Q.850 causes and dial statuses: the tables of asterisk.md sections 2 and 6.
#include "adapters/sim/model.h"

const char *cause_text(int cause)
{
    static const struct {
        int cause;
        const char *text;
    } texts[] = {{1, "Unallocated (unassigned) number"},
                 {2, "No route to specified transmit network"},
                 {3, "No route to destination"},
                 {NORMAL_CLEARING, "Normal Clearing"},
                 {17, "User busy"},
                 {18, "No user responding"},
                 {19, "User alerting, no answer"},
                 {20, "Subscriber absent"},
                 {21, "Call Rejected"},
                 {22, "Number changed"},
                 {23, "Redirected to new destination"},
                 {26, "Answered elsewhere"},
                 {27, "Destination out of order"},
                 {28, "Invalid number format"},
                 {29, "Facility rejected"},
                 {31, "Normal, unspecified"},
                 {34, "Circuit/channel congestion"},
                 {38, "Network out of order"},
                 {41, "Temporary failure"},
                 {42, "Switching equipment congestion"},
                 {58, "Bearer capability not available"},
                 {102, "Recover on timer expiry"},
                 {127, "Interworking, unspecified"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].cause == cause)
            return texts[i].text;
    return "Unknown";
}

int cause_of_sip(int code)
{
    static const struct {
        int code, cause;
    } table[] = {{302, 23}, {401, 21}, {403, 21}, {404, 1},  {407, 21}, {408, 18},  {409, 41},
                 {410, 22}, {420, 3},  {480, 19}, {483, 19}, {484, 28}, {485, 1},   {486, 17},
                 {488, 58}, {500, 38}, {501, 29}, {502, 27}, {503, 34}, {504, 102}, {513, 34},
                 {580, 34}, {600, 17}, {603, 21}, {604, 1},  {606, 58}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == code)
            return table[i].cause;
    return 127;
}

// The SIP code that Asterisk invents as tech_cause for a cause set on its own side; 0: none.
int sip_of_cause(int cause)
{
    static const struct {
        int cause, code;
    } table[] = {{1, 404},  {3, 404},  {17, 486}, {18, 408}, {19, 480}, {20, 480},
                 {21, 403}, {22, 410}, {23, 410}, {27, 502}, {28, 484}, {29, 501},
                 {31, 480}, {34, 503}, {38, 500}, {41, 409}, {58, 488}, {127, 500}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].cause == cause)
            return table[i].code;
    return 0;
}

const char *dialstatus_of_sip(int code)
{
    switch (code) {
    case 486:
    case 600:
        return "BUSY";
    case 503:
    case 513:
    case 580:
        return "CONGESTION";
    case 420:
        return "CHANUNAVAIL";
    default:
        return "NOANSWER";
    }
}

/*
 * number.h - telephone numbers at the door: to E.164, or refused (R9). Nothing is guessed: a
 * national number needs a country, a spreadsheet's damage is called by its name.
 */
#ifndef ADAPTERS_LEAD_NUMBER_H
#define ADAPTERS_LEAD_NUMBER_H

#include "core/types.h"

#define NUMBER_E164_SIZE 17 /* + and 15 digits and a zero */

enum number_fault {
    NUMBER_OK = 0,
    NUMBER_EMPTY,
    NUMBER_LETTERS,         /* letters, or signs that stand in no written number */
    NUMBER_SPREADSHEET,     /* 4.47E+11 */
    NUMBER_SHORT,           /* too few digits for its country, or for any */
    NUMBER_LONG,            /* more than 15 digits, or too many for its country */
    NUMBER_NO_COUNTRY,      /* a national number, and no country to read it by */
    NUMBER_UNKNOWN_COUNTRY, /* the country given is not in the table */
    NUMBER_NOT_ASSIGNED,    /* no country code begins like that */
};

/* "has letters or signs that no telephone number has" */
const char *number_fault_sentence(enum number_fault fault);

/* Spaces, dots, hyphens, slashes and brackets are taken out; + and 00 (011 in +1 countries) mean
 * international; (0) after a country code is dropped. `country`: two letters, empty none. On a
 * fault `out` is empty. */
enum number_fault number_normalise(struct text written, struct text country,
                                   char out[NUMBER_E164_SIZE]);

/* Is this country in the table? */
bool number_country_known(struct text country);

#endif

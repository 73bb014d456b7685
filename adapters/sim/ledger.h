// The witness's file: JSON lines, gathered in memory and written before the answer that they speak
// of can leave.
#ifndef SIM_LEDGER_H
#define SIM_LEDGER_H

#include <stddef.h>

struct ledger;

// path NULL: a ledger that keeps nothing. The file is added to, never cut. NULL: cannot open, errno
// says why.
struct ledger *ledger_open(const char *path);
void ledger_add(struct ledger *ledger, const char *line, size_t len);
// 0, or -1 once a write has failed (reported on stderr the first time).
int ledger_flush(struct ledger *ledger);
void ledger_close(struct ledger *ledger);

#endif

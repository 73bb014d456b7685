/* progress.h - one line on a terminal that says how far long work is, and goes away again. Where
 * nobody looks (standard error is no terminal) it says nothing. Not for several threads at once. */
#ifndef ADAPTERS_CTL_PROGRESS_H
#define ADAPTERS_CTL_PROGRESS_H

/* Written over what it said before. */
void progress_show(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Call before anything else is written to the terminal. */
void progress_clear(void);

#endif

// Memory and time text for the simulators. Out of memory ends the program: a test tool has nothing
// better to do.
#ifndef SIM_MEM_H
#define SIM_MEM_H

#include <stddef.h>
#include <stdint.h>

void *mem_new(size_t size); // zeroed
void *mem_grow(void *p, size_t size);
char *mem_str(const char *s); // copy; NULL copies ""

// Copies as much as fits, always terminated.
void mem_copy(char *to, size_t size, const char *from);

#define TIME_TEXT 32
// 2026-11-23T09:01:38.953+0000, as Asterisk writes times.
void time_text(char out[TIME_TEXT], int64_t wall_ms);

#endif

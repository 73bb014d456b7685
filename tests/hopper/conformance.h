/* conformance.h - what every hopper must do. */
#ifndef TESTS_HOPPER_CONFORMANCE_H
#define TESTS_HOPPER_CONFORMANCE_H

#include "adapters/hopper/hopper.h"

struct hopper_fixture {
    const struct hopper_driver *driver;
    void (*options)(struct hopper_options *o);
};

/* What a hopper told us. */
struct seen {
    struct hopper *hopper;
    uint64_t campaign;
    uint64_t row[64];
    uint32_t rows, told_rows, left, dropped;
    bool taken, ok, up, told;
};

struct CMUnitTest;

int64_t hopper_now_us(void);
void hopper_make(struct seen *s, const struct hopper_driver *driver,
                 const struct hopper_options *o);
/* Makes it and waits until it is up. */
void hopper_begin(struct seen *s, const struct hopper_driver *driver,
                  const struct hopper_options *o);
/* Runs its loop until *until has the value. */
void hopper_run(struct seen *s, const bool *until, bool value, int timeout_ms);
void hopper_take(struct seen *s, uint32_t rows);

int hopper_conformance_run(const char *name, const struct hopper_fixture *f,
                           const struct CMUnitTest *more, size_t n_more);

#endif

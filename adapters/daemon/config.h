/*
 * config.h - the config file of dialerd: one table of keys, one strict reader.
 *
 * The table (config_table.c) is the only place that knows a key. The reader, `dialerd --check`, the
 * example file and the manual page dialerd.conf(5) all come from it; a test compares the two files
 * in dist/ with what the table prints.
 *
 * The syntax is small on purpose: `[section]` or `[section name]`, `key = value`, `#` to the end of
 * the line, values bare or in double quotes. libucl was looked at: its JSON side accepts far more
 * than this needs, merges repeated keys in silence, and its errors do not carry a column.
 *
 * Times are milliseconds, sizes bytes. Threads: a config is written by the thread that reads it and
 * read-only afterwards.
 */
#ifndef ADAPTERS_DAEMON_CONFIG_H
#define ADAPTERS_DAEMON_CONFIG_H

#include "core/types.h"

#include <stdio.h>

#define CONFIG_PBX_MAX 16
#define CONFIG_SECTIONS_MAX 8

struct config_pbx {
    char *name; /* the word behind "pbx" */
    int64_t number;
    char *url;
    char *tls_ca;
    char *user;
    char *password_file;
    char *application;
    double calls_per_s;
    int64_t lines;
    uint32_t seen; /* which of the section's keys the file has */
};

struct config_timers {
    int64_t wrapup_default_ms;
    int64_t busy_reset_ms;
    int64_t link_grace_ms;
    int64_t leg_ring_ms;
};

struct config {
    struct {
        char *name;
        int64_t workers;
        int64_t drain_ms;
        char *log_level;
        char *log_file;
    } daemon;
    struct {
        char *url;
        char *password_file;
        char *journal; /* folder */
        int64_t journal_size;
    } store;
    struct {
        char *url;
        char *password_file;
    } hopper;
    struct {
        char *listen;
        int64_t port;
        char *origins;
        bool behind_tls;
        bool metrics_for_all;
        int64_t max_clients;
    } web;
    struct {
        char *socket;
    } ctl;
    struct config_timers timers;
    struct config_pbx pbx[CONFIG_PBX_MAX];
    size_t n_pbx;
    uint32_t seen[CONFIG_SECTIONS_MAX]; /* the same for the other sections, by their place */
};

enum setting_type {
    SET_TEXT,
    SET_PATH,
    SET_SECRET,   /* path of a file that holds a secret */
    SET_URL,      /* text that must not hold a password */
    SET_INT,      /* int64_t */
    SET_NUMBER,   /* double */
    SET_DURATION, /* int64_t, milliseconds; written 300ms 5s 2min 1h 1d */
    SET_SIZE,     /* int64_t, bytes; written 512 64KiB 8MiB 1GiB */
    SET_FLAG,     /* bool; yes or no */
    SET_CHOICE,   /* one of the words in `words` */
};

struct setting {
    const char *section;
    const char *key;
    enum setting_type type;
    size_t at; /* offset in struct config; in struct config_pbx for section pbx */
    double min, max;
    const char *words;    /* SET_CHOICE: allowed words, separated by blanks */
    const char *standard; /* the default as it would be written; NULL: must be given */
    bool live;            /* a reload changes it; otherwise it waits for a restart */
    const char *sentence;
};

extern const struct setting config_settings[];
extern const size_t config_n_settings;

struct config_section {
    const char *name;
    bool named; /* [pbx NAME]; may come several times */
    const char *sentence;
};
extern const struct config_section config_sections[];
extern const size_t config_n_sections;

/* What was wrong, one line each: "file:line:column: sentence". */
struct config_errors {
    char text[8192];
    size_t len;
    unsigned count;
};

/* Read and check a file. 0, or -1 with every error found in `errors`; `config` then holds nothing.
 * `config` must be zeroed or freed before. */
int config_read(const char *path, struct config *config, struct config_errors *errors);
/* The same for a text in memory; `path` is what the errors call it. */
int config_parse(const char *path, const char *text, size_t len, struct config *config,
                 struct config_errors *errors);
void config_free(struct config *config);

/* What differs between `was` and `now` of the keys that a reload changes (live), or that only a
 * restart can: "[section] key, [section] key" in `text`; returns how many. */
unsigned config_changes(const struct config *was, const struct config *now, bool live, char *text,
                        size_t size);
/* Puts the live numbers of `fresh` into `config`, those of servers by their name. Live texts are
 * not taken over: nobody reads them a second time. */
void config_take_live(struct config *config, const struct config *fresh);

/* Read a secret: the file must be a regular file that nobody but its owner can read, and hold one
 * line of 1 to 1023 bytes. 0, or -1 with a sentence in `why` that never holds the secret. An empty
 * `path` gives an empty secret. */
#define CONFIG_SECRET_SIZE 1024
int config_secret(const char *path, char secret[CONFIG_SECRET_SIZE], char *why, size_t why_size);
/* Overwrite a secret so that the compiler cannot leave it. */
void config_wipe(char *secret, size_t size);

/* The value of a setting as the file would write it. */
void config_value_text(const struct setting *s, const void *base, char *out, size_t size);
/* The documents of the table. */
void config_print_example(FILE *out);
void config_print_manual(FILE *out);
/* Everything in force, with where it comes from: file or default. */
void config_print_effective(const struct config *config, FILE *out);

#endif

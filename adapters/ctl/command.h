/*
 * command.h - what an operator can ask: one table for dialerctl and for the daemon behind the
 * socket. Help, parsing, the request, the daemon's check of it and the manual page come from here.
 *
 * The socket speaks lines of JSON, one conversation at a time on a connection:
 *
 *   -> {"id":1,"command":"campaign add","args":{"name":"spring","mode":"ratio"}}
 *   <- {"id":1,"row":{...}}                   any number of them
 *   <- {"id":1,"data":"..."}                  text to write as it is (export)
 *   <- {"id":1,"progress":{"rows":12000}}     now and then in long work
 *   <- {"id":1,"end":{"result":0,"text":""}}  once; result is enum result (actors/types.h)
 *
 * Every value in `args` is a string ("true" for a switch), or an array of strings for an argument
 * that may come several times. An argument of type ARG_FILE follows the request as raw bytes, in
 * pieces, each behind a line that tells its length: {"id":1,"bytes":65536}; {"id":1,"bytes":0} is
 * the end of the file. The daemon may send `end` before that; the connection is then over. The
 * request itself has the file's "digest", beside "args": the file is known by it before it comes.
 */
#ifndef ADAPTERS_CTL_COMMAND_H
#define ADAPTERS_CTL_COMMAND_H

#include "core/types.h"

#include <stdio.h>

#define CTL_LINE_MAX (64u * 1024u) /* of a request; rows and data of an answer are shorter too */
#define CTL_SOCKET "/run/dialerd/ctl"
#define CTL_PIECE (32u * 1024u)

enum arg_type {
    ARG_TEXT,
    ARG_ID,     /* whole number from 1, or a name where the command says so */
    ARG_COUNT,  /* whole number from 0 */
    ARG_NUMBER, /* decimal number */
    ARG_TIME,   /* duration with its unit: 30s */
    ARG_SWITCH, /* no value */
    ARG_YESNO,
    ARG_CHOICE, /* one of `words` */
    ARG_SECRET, /* names a file; its only line is sent. Without it the terminal is asked */
    ARG_FILE,   /* names a file ("-": standard input); its bytes follow the request */
    ARG_OUTPUT, /* names a file that dialerctl writes; never sent */
};

struct ctl_arg {
    const char *name; /* as sent; on the command line "--name", or its place if `place` */
    enum arg_type type;
    bool place;    /* positional, in the order of the table */
    bool required; /* must be given */
    bool many;     /* may come several times (a place: all that are left); sent as an array */
    const char *words;
    const char *value; /* what stands for it in the help: "N", "FILE" */
    const char *sentence;
};

enum ctl_shape {
    SHAPE_RECORD, /* one row: key: value */
    SHAPE_TABLE,  /* rows of the same keys */
    SHAPE_DATA,   /* data, written as it is */
    SHAPE_QUIET,  /* nothing but the end's text */
};

struct ctl_command {
    const char *name; /* one or two words */
    const char *sentence;
    enum ctl_shape shape;
    const struct ctl_arg *args; /* up to one without name */
    bool local;                 /* works without the daemon when --config names its file */
    const char *exits;          /* of "34", which it may end with; 0, 1, 2 and 5 any command may */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;

/* The command whose words stand at words[0] (and [1]); `taken` = how many they are. NULL if none.
 */
const struct ctl_command *ctl_find(int n, char *const *words, int *taken);
const struct ctl_command *ctl_find_name(const char *name);
/* The argument of a command by its name, NULL if it has none such. */
const struct ctl_arg *ctl_find_arg(const struct ctl_command *command, const char *name);
/* Walk the arguments of a command: NULL when there are no more. */
const struct ctl_arg *ctl_arg_at(const struct ctl_command *command, size_t i);
/* Is the text a good value for the argument? 0, or -1 with a sentence. */
int ctl_check_value(const struct ctl_arg *arg, const char *text, char *why, size_t why_size);
/* "30s" in milliseconds; -1 if it is no duration. */
int64_t ctl_duration_ms(const char *text);

void ctl_print_commands(FILE *out);
void ctl_print_help(FILE *out, const struct ctl_command *command);
void ctl_print_manual(FILE *out);

#endif

/*
 * messages.h - every message of the product, expanded from messages.def: `MSG_<name>` is the event
 * type, `struct msg_<name>` the content, dialer_catalogue what the executors are given.
 * MESSAGES.md is the same list as a table.
 */
#ifndef ACTORS_MESSAGES_H
#define ACTORS_MESSAGES_H

#define MESSAGES_DEF "actors/messages.def"
#include "core/messages_declare.h"

extern const struct message_catalogue dialer_catalogue;

#endif

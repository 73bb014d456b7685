/* config_near.h - the word of the table that was probably meant. */
#ifndef ADAPTERS_DAEMON_CONFIG_NEAR_H
#define ADAPTERS_DAEMON_CONFIG_NEAR_H

#include <stdbool.h>

#define CONFIG_WORD_MAX 64

/* The nearest there is; `meant`: near enough to have been meant. */
const char *config_near_key(const char *section, const char *word, bool *meant);
const char *config_near_section(const char *word, bool *meant);
/* The section that has a key of exactly this name, NULL if none. */
const char *config_other_section(const char *key);

#endif

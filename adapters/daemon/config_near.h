/* config_near.h - the word of the table that was probably meant. */
#ifndef ADAPTERS_DAEMON_CONFIG_NEAR_H
#define ADAPTERS_DAEMON_CONFIG_NEAR_H

#define CONFIG_WORD_MAX 64

/* All: NULL when nothing is near. */
const char *config_near_key(const char *section, const char *word);
const char *config_near_section(const char *word);
/* The section that has a key of exactly this name. */
const char *config_other_section(const char *key);

#endif

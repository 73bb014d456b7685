/* messages.c - codec, descriptions and catalogue of messages.def, generated here and nowhere else.
 */
#include "actors/messages.h"

#define MESSAGES_DEF "actors/messages.def"
#define MESSAGES_CATALOGUE dialer_catalogue
#include "core/messages_define.h"

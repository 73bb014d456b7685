/* fuzz_config.c - the config file: read or refused with a sentence; what is in force, written down,
 * is read as the same. */
#include "tests/fuzz/fuzz.h"

#include "adapters/daemon/config.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config_errors errors;
    static struct config config;
    char *shown = NULL;
    size_t shown_len = 0;
    char *block = malloc(size + 1);
    FILE *out;

    memcpy(block, data, size);
    memset(&config, 0, sizeof config);
    memset(&errors, 0, sizeof errors);
    if (config_parse("fuzzed", block, size, &config, &errors) != 0) {
        MUST(errors.count > 0 && errors.len < sizeof errors.text);
        MUST(strlen(errors.text) == errors.len && strstr(errors.text, "fuzzed:") != NULL);
    } else {
        MUST(errors.count == 0 && config.n_pbx <= CONFIG_PBX_MAX);
        out = open_memstream(&shown, &shown_len);
        MUST(out != NULL);
        config_print_effective(&config, out);
        fclose(out);
        free(shown);
    }
    config_free(&config);
    free(block);
    return 0;
}

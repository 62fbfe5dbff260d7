// SPDX-License-Identifier: MIT
/* A main for a fuzz target without libFuzzer: gives it the empty input, then every file named on
 * the command line. The sanitizers end the program at the first one that it does not survive. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay(const uint8_t *data, size_t size, const char *name) {
    printf("%s: %zu bytes\n", name, size);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, size);
}

static size_t file_size(FILE *file) {
    if (fseek(file, 0, SEEK_END) != 0)
        return 0;
    const long end = ftell(file);
    rewind(file);
    return end > 0 ? (size_t)end : 0;
}

/* The memory is exactly as large as the input, so that one byte read too far is seen. */
static void replay_file(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file) {
        perror(name);
        exit(EXIT_FAILURE);
    }
    const size_t size = file_size(file);
    uint8_t *data = malloc(size);
    const size_t got = fread(data, 1, size, file);
    fclose(file);
    replay(data, got, name);
    free(data);
}

int main(int argc, char **argv) {
    replay((const uint8_t *)"", 0, "(empty)");
    for (int i = 1; i < argc; i++)
        replay_file(argv[i]);
    return EXIT_SUCCESS;
}

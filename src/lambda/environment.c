// SPDX-License-Identifier: MIT
#include "lambda/environment.h"

#include "base/attributes.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The platform writes a handful of lines. */
enum { HOSTS_BYTES_MAX = 64 * 1024 };

/* Of provisioned-concurrency, too. */
static const struct environment_kind on_demand = {
    .name = "on-demand",
    .lifecycle = "\"INVOKE\",\"SHUTDOWN\"",
    .is_frozen = true,
};

/* https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html */
static const struct environment_kind snap_start = {
    .name = "snap-start",
    .lifecycle = "\"INVOKE\",\"SHUTDOWN\"",
    .is_frozen = true,
    .is_restored = true,
};

/* https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-execution-environment.html
 * INVOKE is refused at registration there, and so is a subscription to the Logs API. */
static const struct environment_kind managed_instances = {
    .name = "lambda-managed-instances",
    .lifecycle = "\"SHUTDOWN\"",
    .is_concurrent = true,
    .source = &telemetry_api_2025,
};

const struct environment_kind *environment_kind_of(struct span initialization_type) {
    static const struct environment_kind *const kinds[] = {&snap_start, &managed_instances};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (span_equals(initialization_type, span_of_text(kinds[i]->name))) {
            return kinds[i];
        }
    }
    return &on_demand;
}

static void read_file(const char *path, struct buf *content) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return;
    }
    for (ssize_t got = 1; got > 0;) {
        size_t room = content->ceiling - content->len;
        size_t wanted = room < 4096 ? room : 4096;
        char *to = buf_reserve(content, wanted);
        got = to == NULL ? 0 : read(file, to, wanted);
        buf_commit(content, got > 0 ? (size_t)got : 0);
    }
    (void)close(file);
}

/* The next word of *line, or an empty span at its end. */
static struct span next_word(struct span *line) {
    *line = span_trim(*line);
    size_t length = 0;
    while (length < line->len && line->ptr[length] != ' ' && line->ptr[length] != '\t') {
        length++;
    }
    struct span word = span_first(*line, length);
    *line = span_skip(*line, length);
    return word;
}

static bool names(struct span line, const char *wanted) {
    struct span word;
    while ((word = next_word(&line)).len > 0) {
        if (span_equals_ignoring_case(word, span_of_text(wanted))) {
            return true;
        }
    }
    return false;
}

/* Not 0.0.0.0/8, multicast, reserved or broadcast. */
static bool can_be_listened_on(uint32_t address) {
    return address >> 24 != 0 && address >> 28 < 0xE;
}

static bool read_address(struct span word, uint32_t *ret) {
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    if (word.len >= sizeof text) {
        return false;
    }
    memcpy(text, word.ptr, word.len);
    text[word.len] = '\0';
    if (inet_pton(AF_INET, text, &address) != 1 || !can_be_listened_on(ntohl(address.s_addr))) {
        return false;
    }
    *ret = ntohl(address.s_addr);
    return true;
}

uint32_t environment_listen_address(const char *hosts_file) {
    CLEANUP(buf_done) struct buf content = buf_with_ceiling(HOSTS_BYTES_MAX);
    read_file(hosts_file, &content);
    struct span rest = buf_span(&content);
    uint32_t address = INADDR_LOOPBACK;
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        line = span_cut(&line, '#');
        struct span first = next_word(&line);
        if (names(line, "sandbox.localdomain") && read_address(first, &address)) {
            break;
        }
    }
    return address;
}

static const char *base_name(const char *path) {
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

const char *environment_program_name(const char *argv0) {
    const char *executed = base_name((const char *)(uintptr_t)getauxval(AT_EXECFN));
    if (executed != NULL && executed[0] != '\0') {
        return executed;
    }
    return argv0 == NULL ? "" : base_name(argv0);
}

// SPDX-License-Identifier: MIT
/* The canonical request of any request text: whatever comes in, the result has one line for each
 * part, so that no part can pose as another. Input: path, query and then headers "name:value", a
 * line each. */
#include "aws/sigv4_canonical_request.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES_MAX = 1024 * 1024 };

static void require(bool claim) {
    if (!claim) {
        abort();
    }
}

static size_t count_of(struct span text, char c) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == c;
    }
    return count;
}

static bool is_encoded(struct span text, const char *also) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                          (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~%", c) != NULL);
        if (!unreserved && (c == '\0' || strchr(also, c) == NULL)) {
            return false;
        }
    }
    return true;
}

static void check(struct span canonical, struct span names, enum sigv4_path_style style) {
    require(span_equals(span_cut(&canonical, '\n'), SPAN("GET")));
    struct span path = span_cut(&canonical, '\n');
    require(is_encoded(path, "/"));
    if (style == SIGV4_PATH_NORMALIZED) {
        require(span_starts_with(path, SPAN("/")) && span_find(path, SPAN("//")) == NULL);
    }
    require(is_encoded(span_cut(&canonical, '\n'), "=&"));
    size_t headers = names.len == 0 ? 0 : count_of(names, ';') + 1;
    for (size_t i = 0; i < headers; i++) {
        struct span value = span_cut(&canonical, '\n');
        struct span name = span_cut(&value, ':');
        require(span_equals(name, span_cut(&names, ';')));
    }
    require(span_cut(&canonical, '\n').len == 0);
    require(count_of(canonical, '\n') == 1);
    require(span_ends_with(canonical, SPAN("\nhash")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span rest = span_of((const char *)data, size);
    struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
    struct sigv4_request request = {
        .method = SPAN("GET"), .headers = headers, .payload_hash = SPAN("hash")};
    request.path = span_cut(&rest, '\n');
    request.query = span_cut(&rest, '\n');
    while (rest.len > 0 && request.header_count <= SIGV4_HEADERS_MAX) {
        struct span value = span_cut(&rest, '\n');
        struct span name = span_cut(&value, ':');
        headers[request.header_count++] = (struct sigv4_header){name, value};
    }
    for (int style = SIGV4_PATH_NORMALIZED; style <= SIGV4_PATH_AS_SENT; style++) {
        CLEANUP(buf_done) struct buf canonical = buf_with_ceiling(TEXT_BYTES_MAX);
        CLEANUP(buf_done) struct buf names = buf_with_ceiling(TEXT_BYTES_MAX);
        request.path_style = (enum sigv4_path_style)style;
        if (sigv4_canonical_request(&request, &canonical, &names, NULL)) {
            check(buf_span(&canonical), buf_span(&names), request.path_style);
        }
    }
    return 0;
}

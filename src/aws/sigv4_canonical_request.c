// SPDX-License-Identifier: MIT
#include "aws/sigv4_canonical_request.h"

#include <stdlib.h>

enum { QUERY_BYTES_MAX = 64 * 1024 };

static bool is_unreserved(unsigned char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_encoded(struct buf *out, unsigned char c) {
    static const char digits[] = "0123456789ABCDEF";
    if (is_unreserved(c)) {
        buf_append_char(out, (char)c);
    } else {
        const char encoded[] = {'%', digits[c >> 4], digits[c & 15]};
        buf_append(out, span_of(encoded, sizeof encoded));
    }
}

/* -- path -- */

static void append_path_encoded(struct buf *out, struct span path) {
    for (size_t i = 0; i < path.len; i++) {
        if (path.ptr[i] == '/') {
            buf_append_char(out, '/');
        } else {
            append_encoded(out, (unsigned char)path.ptr[i]);
        }
    }
}

/* The segments that are left once ".", ".." and empty ones are resolved. */
static bool resolve_segments(struct span path, struct span segments[SIGV4_PATH_SEGMENTS_MAX],
                             size_t *ret_count, struct error *err) {
    size_t count = 0;
    while (path.len > 0) {
        struct span segment = span_cut(&path, '/');
        if (span_equals(segment, SPAN(".."))) {
            count -= count > 0;
        } else if (segment.len > 0 && !span_equals(segment, SPAN("."))) {
            if (count == SIGV4_PATH_SEGMENTS_MAX) {
                return error_set(err, ERR_INVALID, "the path to sign has too many segments");
            }
            segments[count++] = segment;
        }
    }
    *ret_count = count;
    return true;
}

static bool append_normalized_path(struct buf *out, struct span path, struct error *err) {
    struct span segments[SIGV4_PATH_SEGMENTS_MAX];
    size_t count = 0;
    if (!resolve_segments(path, segments, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        buf_append_char(out, '/');
        append_path_encoded(out, segments[i]);
    }
    if (count == 0 || span_ends_with(path, SPAN("/"))) {
        buf_append_char(out, '/');
    }
    return true;
}

static bool append_path(struct buf *out, const struct sigv4_request *request, struct error *err) {
    if (request->path_style == SIGV4_PATH_NORMALIZED) {
        return append_normalized_path(out, request->path, err);
    }
    append_path_encoded(out, request->path.len == 0 ? SPAN("/") : request->path);
    return true;
}

/* -- query -- */

struct parameter {
    struct span name;
    struct span value;
};

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Encodes anew what is on the wire: a valid %XX stands for its byte, anything else for itself. */
static void append_query_encoded(struct buf *out, struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        bool escaped = text.ptr[i] == '%' && text.len - i > 2 && hex_value(text.ptr[i + 1]) >= 0 &&
                       hex_value(text.ptr[i + 2]) >= 0;
        if (escaped) {
            int byte = hex_value(text.ptr[i + 1]) * 16 + hex_value(text.ptr[i + 2]);
            append_encoded(out, (unsigned char)byte);
            i += 2;
        } else {
            append_encoded(out, (unsigned char)text.ptr[i]);
        }
    }
}

static int compare_spans(struct span a, struct span b) {
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* By name and then by value, each as encoded. Comparing whole "name=value" texts would be wrong:
 * "-" sorts before "=", so that "a-b=" would come before "a=". */
static int compare_parameters(const void *a, const void *b) {
    const struct parameter *left = a;
    const struct parameter *right = b;
    int order = compare_spans(left->name, right->name);
    return order != 0 ? order : compare_spans(left->value, right->value);
}

/* Encodes every parameter into a line "name=value" of *lines. */
static void encode_query(struct span query, struct buf *lines) {
    while (query.len > 0) {
        struct span value = span_cut(&query, '&');
        if (value.len > 0) {
            struct span name = span_cut(&value, '=');
            append_query_encoded(lines, name);
            buf_append_char(lines, '=');
            append_query_encoded(lines, value);
            buf_append_char(lines, '\n');
        }
    }
}

static bool append_query(struct buf *out, struct span query, struct error *err) {
    CLEANUP(buf_done) struct buf lines = buf_with_ceiling(QUERY_BYTES_MAX);
    encode_query(query, &lines);
    if (buf_failed(&lines)) {
        return error_set_memory(err, "the query to sign");
    }
    struct parameter parameters[SIGV4_QUERY_PARAMETERS_MAX];
    size_t count = 0;
    struct span rest = buf_span(&lines);
    while (rest.len > 0) {
        if (count == SIGV4_QUERY_PARAMETERS_MAX) {
            return error_set(err, ERR_INVALID, "the query to sign has too many parameters");
        }
        struct span value = span_cut(&rest, '\n');
        struct span name = span_cut(&value, '=');
        parameters[count++] = (struct parameter){name, value};
    }
    qsort(parameters, count, sizeof parameters[0], compare_parameters);
    for (size_t i = 0; i < count; i++) {
        buf_append(out, i == 0 ? SPAN("") : SPAN("&"));
        buf_append(out, parameters[i].name);
        buf_append_char(out, '=');
        buf_append(out, parameters[i].value);
    }
    return true;
}

/* -- headers -- */

/* What proxies and libraries add, change or drop on the way. */
static bool is_left_out(struct span name) {
    static const char *const names[] = {
        "authorization", "connection", "expect",     "keep-alive",        "te",
        "trailer",       "upgrade",    "user-agent", "transfer-encoding", "x-amzn-trace-id",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_equals_ignoring_case(name, span_of_text(names[i]))) {
            return true;
        }
    }
    return span_equals_ignoring_case(span_first(name, 6), SPAN("proxy-"));
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* By name; headers of one name stay in the order in which they are sent, which is the order of
 * the pointers, since all point into one array. */
static int compare_headers(const void *a, const void *b) {
    const struct sigv4_header *left = *(const struct sigv4_header *const *)a;
    const struct sigv4_header *right = *(const struct sigv4_header *const *)b;
    size_t length = left->name.len < right->name.len ? left->name.len : right->name.len;
    for (size_t i = 0; i < length; i++) {
        int order = lower(left->name.ptr[i]) - lower(right->name.ptr[i]);
        if (order != 0) {
            return order;
        }
    }
    if (left->name.len != right->name.len) {
        return left->name.len < right->name.len ? -1 : 1;
    }
    return (left > right) - (left < right);
}

static bool is_header_name(struct span name) {
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (!is_unreserved(c) || c == '~') {
            return false;
        }
    }
    return name.len > 0;
}

/* A line break would let a value pose as further lines of what is signed. */
static bool is_header_value(struct span value) {
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool select_headers(const struct sigv4_request *request,
                           const struct sigv4_header *selected[SIGV4_HEADERS_MAX],
                           size_t *ret_count, struct error *err) {
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct sigv4_header *header = &request->headers[i];
        if (!is_header_name(header->name) || !is_header_value(header->value)) {
            return error_set(err, ERR_INVALID, "header %zu cannot be signed as it is", i + 1);
        }
        if (is_left_out(header->name)) {
            continue;
        }
        if (count == SIGV4_HEADERS_MAX) {
            return error_set(err, ERR_INVALID, "more than %d headers to sign", SIGV4_HEADERS_MAX);
        }
        selected[count++] = header;
    }
    qsort(selected, count, sizeof(const struct sigv4_header *), compare_headers);
    *ret_count = count;
    return true;
}

static void append_lower(struct buf *out, struct span name) {
    for (size_t i = 0; i < name.len; i++) {
        buf_append_char(out, lower(name.ptr[i]));
    }
}

/* Trimmed, and each run of blanks made one space. */
static void append_value(struct buf *out, struct span value) {
    value = span_trim(value);
    bool after_blank = false;
    for (size_t i = 0; i < value.len; i++) {
        bool blank = value.ptr[i] == ' ' || value.ptr[i] == '\t';
        if (!blank) {
            buf_append_char(out, value.ptr[i]);
        } else if (!after_blank) {
            buf_append_char(out, ' ');
        }
        after_blank = blank;
    }
}

static void append_headers(struct buf *out, struct buf *names,
                           const struct sigv4_header *const *headers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bool repeated = i > 0 && span_equals_ignoring_case(headers[i]->name, headers[i - 1]->name);
        if (repeated) {
            buf_append_char(out, ',');
        } else {
            buf_append(out, i == 0 ? SPAN("") : SPAN("\n"));
            append_lower(out, headers[i]->name);
            buf_append_char(out, ':');
            buf_append(names, i == 0 ? SPAN("") : SPAN(";"));
            append_lower(names, headers[i]->name);
        }
        append_value(out, headers[i]->value);
    }
    buf_append(out, count == 0 ? SPAN("") : SPAN("\n"));
}

bool sigv4_canonical_request(const struct sigv4_request *request, struct buf *canonical,
                             struct buf *signed_headers, struct error *err) {
    const struct sigv4_header *headers[SIGV4_HEADERS_MAX];
    size_t count = 0;
    if (!select_headers(request, headers, &count, err)) {
        return false;
    }
    size_t names_from = signed_headers->len;
    buf_append(canonical, request->method);
    buf_append_char(canonical, '\n');
    if (!append_path(canonical, request, err)) {
        return false;
    }
    buf_append_char(canonical, '\n');
    if (!append_query(canonical, request->query, err)) {
        return false;
    }
    buf_append_char(canonical, '\n');
    append_headers(canonical, signed_headers, headers, count);
    buf_append_char(canonical, '\n');
    buf_append(canonical, span_skip(buf_span(signed_headers), names_from));
    buf_append_char(canonical, '\n');
    buf_append(canonical, request->payload_hash);
    if (buf_failed(canonical) || buf_failed(signed_headers)) {
        return error_set_memory(err, "the canonical request");
    }
    return true;
}

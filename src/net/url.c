// SPDX-License-Identifier: MIT
#include "net/url.h"

enum { HOST_NAME_BYTES_MAX = 253 };

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_ipv6_literal(struct span host) {
    if (host.len < 4 || host.len > HOST_NAME_BYTES_MAX || host.ptr[0] != '[' ||
        host.ptr[host.len - 1] != ']') {
        return false;
    }
    for (size_t i = 1; i < host.len - 1; i++) {
        char c = host.ptr[i];
        bool hexadecimal =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (!hexadecimal && c != ':' && c != '.') {
            return false;
        }
    }
    return true;
}

/* Underscores are no part of a DNS name, but Docker networks name their hosts so. */
static bool is_host_name(struct span host) {
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!is_alphanumeric(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return host.len > 0 && host.len <= HOST_NAME_BYTES_MAX;
}

static bool is_port(struct span port) {
    unsigned long long number = 0;
    return span_to_u64(port, &number) && number >= 1 && number <= 65535;
}

static bool is_visible_ascii(struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~' || text.ptr[i] == '#') {
            return false;
        }
    }
    return true;
}

/* The length of what is before the first of these characters. */
static size_t length_before(struct span text, struct span ends) {
    size_t length = 0;
    while (length < text.len && memchr(ends.ptr, text.ptr[length], ends.len) == NULL) {
        length++;
    }
    return length;
}

static void split_scheme(struct span *rest, struct url *ret) {
    size_t length = length_before(*rest, SPAN(":/?@"));
    if (span_starts_with(span_skip(*rest, length), SPAN("://"))) {
        ret->scheme = span_first(*rest, length);
        *rest = span_skip(*rest, length + 3);
    }
}

/* Up to the last "@": a password may hold one. */
static void split_user_info(struct span *authority, struct url *ret) {
    for (size_t i = authority->len; i > 0; i--) {
        if (authority->ptr[i - 1] == '@') {
            ret->user_info = span_first(*authority, i - 1);
            *authority = span_skip(*authority, i);
            return;
        }
    }
}

/* "host", "host:port" or "[address]:port". */
static bool split_host(struct span authority, struct url *ret) {
    const char *bracket = span_find(authority, SPAN("]"));
    size_t host_min = bracket == NULL ? 0 : (size_t)(bracket - authority.ptr) + 1;
    struct span behind = span_skip(authority, host_min);
    struct span name = span_cut(&behind, ':');
    ret->host = span_first(authority, host_min + name.len);
    bool colon = ret->host.len < authority.len;
    ret->port = colon ? behind : span_of(NULL, 0);
    bool host_ok = bracket == NULL ? is_host_name(ret->host) : is_ipv6_literal(ret->host);
    return host_ok && (colon ? is_port(ret->port) : true);
}

bool url_split(struct span text, struct url *ret) {
    struct url url = {0};
    struct span rest = text;
    if (!is_visible_ascii(text)) {
        return false;
    }
    split_scheme(&rest, &url);
    struct span authority = span_first(rest, length_before(rest, SPAN("/?")));
    rest = span_skip(rest, authority.len);
    split_user_info(&authority, &url);
    size_t path = length_before(rest, SPAN("?"));
    if (path > 0) {
        url.path = span_first(rest, path);
    }
    if (path < rest.len) {
        url.query = span_skip(rest, path + 1);
    }
    if (!split_host(authority, &url)) {
        return false;
    }
    *ret = url;
    return true;
}

// SPDX-License-Identifier: MIT
#include "aws/endpoint.h"

#include <stdio.h>

enum { HOST_LABEL_BYTES_MAX = 63, HOST_NAME_BYTES_MAX = 253 };

/* A partition is known by how its regions begin; the first match counts, and the last entry takes
 * every region, so that one which is newer than this table works like most of them. */
struct partition {
    const char *region_prefix;
    const char *dns_suffix;
    const char *dual_stack_suffix;
    bool plain_host_is_fips; /* Kinesis and STS have no host of their own for FIPS there */
};

static const struct partition partitions[] = {
    {"us-gov-", "amazonaws.com", "api.aws", true},
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false},
    {"", "amazonaws.com", "api.aws", false},
};

static const struct partition *partition_of(struct span region) {
    const struct partition *partition = partitions;
    while (!span_starts_with(region, span_of_text(partition->region_prefix))) {
        partition++;
    }
    return partition;
}

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_host_label(struct span s) {
    if (s.len == 0 || s.len > HOST_LABEL_BYTES_MAX || s.ptr[0] == '-' || s.ptr[s.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!is_alphanumeric(s.ptr[i]) && s.ptr[i] != '-') {
            return false;
        }
    }
    return true;
}

/* Copies a span as a string; false when it does not fit. */
static bool copy(char *to, size_t size, struct span from) {
    int length = snprintf(to, size, "%.*s", SPAN_ARGS(from));
    return length >= 0 && (size_t)length < size;
}

static void resolve_regional(const struct endpoint_options *options, struct endpoint *ret) {
    const struct partition *partition = partition_of(options->region);
    bool dual_stack = options->use_dual_stack;
    bool fips_host = options->use_fips && (dual_stack || !partition->plain_host_is_fips);
    (void)snprintf(ret->host, sizeof ret->host, "%s%s.%.*s.%s", options->service,
                   fips_host ? "-fips" : "", SPAN_ARGS(options->region),
                   dual_stack ? partition->dual_stack_suffix : partition->dns_suffix);
    (void)snprintf(ret->url, sizeof ret->url, "https://%s", ret->host);
    (void)snprintf(ret->path, sizeof ret->path, "/");
}

/* The parts of http(s)://host[:port][/path], all spans into it. */
struct url {
    struct span scheme;
    struct span host; /* an IPv6 address with its brackets */
    struct span port; /* empty when none is given */
    struct span path; /* empty, or from its first slash to before its last one */
};

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

static bool is_path(struct span path) {
    for (size_t i = 0; i < path.len; i++) {
        char c = path.ptr[i];
        if (c <= ' ' || c > '~' || c == '?' || c == '#') {
            return false;
        }
    }
    return true;
}

static bool split_scheme(struct span *rest, struct url *ret) {
    static const struct span schemes[] = {{"https", 5}, {"http", 4}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        struct span scheme = schemes[i];
        if (span_equals_ignoring_case(span_first(*rest, scheme.len), scheme) &&
            span_starts_with(span_skip(*rest, scheme.len), SPAN("://"))) {
            ret->scheme = scheme;
            *rest = span_skip(*rest, scheme.len + 3);
            return true;
        }
    }
    return false;
}

/* "host", "host:port" or "[address]:port". */
static bool split_authority(struct span authority, struct url *ret) {
    const char *bracket = span_find(authority, SPAN("]"));
    size_t host_min = bracket == NULL ? 0 : (size_t)(bracket - authority.ptr) + 1;
    struct span behind = span_skip(authority, host_min);
    struct span name = span_cut(&behind, ':');
    ret->host = span_first(authority, host_min + name.len);
    ret->port = behind;
    bool colon = ret->host.len < authority.len;
    bool host_ok = bracket == NULL ? is_host_name(ret->host) : is_ipv6_literal(ret->host);
    return host_ok && (colon ? is_port(ret->port) : true);
}

static bool split_url(struct span text, struct url *ret) {
    struct span rest = text;
    if (!split_scheme(&rest, ret)) {
        return false;
    }
    size_t authority_length = 0;
    while (authority_length < rest.len && rest.ptr[authority_length] != '/') {
        authority_length++;
    }
    ret->path = span_skip(rest, authority_length);
    while (span_ends_with(ret->path, SPAN("/"))) {
        ret->path.len--;
    }
    return split_authority(span_first(rest, authority_length), ret) && is_path(ret->path);
}

static bool is_default_port(const struct url *url) {
    unsigned long long port = 0;
    return span_to_u64(url->port, &port) && port == (url->scheme.len == 5 ? 443 : 80);
}

/* What may be shown of a URL: nothing up to its last @, since a password may stand there. */
static struct span without_user_info(struct span text) {
    struct span shown = text;
    while (span_find(shown, SPAN("@")) != NULL) {
        (void)span_cut(&shown, '@');
    }
    return shown;
}

static bool resolve_custom(struct span text, struct endpoint *ret, struct error *err) {
    struct url url = {0};
    if (text.len >= ENDPOINT_URL_BYTES) {
        return error_set(err, ERR_INVALID, "the endpoint URL is longer than %d bytes",
                         ENDPOINT_URL_BYTES - 1);
    }
    if (!split_url(text, &url)) {
        struct span shown = without_user_info(text);
        return error_set(err, ERR_INVALID,
                         "the endpoint URL \"%s%.*s\" is not http(s)://host[:port][/path]",
                         shown.len < text.len ? "***@" : "", SPAN_ARGS(shown));
    }
    if (is_default_port(&url)) {
        url.port = span_of(NULL, 0);
    }
    /* Nothing is cut: no part is longer than the URL, which fits. */
    (void)snprintf(ret->host, sizeof ret->host, "%.*s%s%.*s", SPAN_ARGS(url.host),
                   url.port.len > 0 ? ":" : "", SPAN_ARGS(url.port));
    (void)snprintf(ret->url, sizeof ret->url, "%.*s://%.*s%s%.*s%.*s", SPAN_ARGS(url.scheme),
                   SPAN_ARGS(url.host), url.port.len > 0 ? ":" : "", SPAN_ARGS(url.port),
                   SPAN_ARGS(url.path));
    (void)copy(ret->path, sizeof ret->path, url.path.len > 0 ? url.path : SPAN("/"));
    ret->is_custom = true;
    return true;
}

bool endpoint_resolve(const struct endpoint_options *options, struct endpoint *ret,
                      struct error *err) {
    struct endpoint resolved = {0};
    if (options->region.len == 0) {
        return error_set(err, ERR_INVALID, "no region is given");
    }
    if (!is_host_label(options->region) ||
        !copy(resolved.region, sizeof resolved.region, options->region)) {
        return error_set(err, ERR_INVALID, "\"%.*s\" is not a region", SPAN_ARGS(options->region));
    }
    if (options->custom_url.len == 0) {
        resolve_regional(options, &resolved);
    } else if (options->use_fips || options->use_dual_stack) {
        return error_set(err, ERR_INVALID, "%s cannot be had with an endpoint URL of one's own",
                         options->use_fips ? "FIPS" : "dual-stack");
    } else if (!resolve_custom(options->custom_url, &resolved, err)) {
        return false;
    }
    *ret = resolved;
    return true;
}

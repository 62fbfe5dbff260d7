// SPDX-License-Identifier: MIT
#include "aws/endpoint.h"

#include "net/url.h"

#include <stdio.h>

enum { HOST_LABEL_BYTES_MAX = 63 };

/* A partition is known by how its regions begin; the first match counts, and the last entry takes
 * every region, so that one which is newer than this table works like most of them. */
struct partition {
    const char *region_prefix;
    const char *dns_suffix;
    const char *dual_stack_suffix;
    bool plain_host_is_fips; /* Kinesis and STS have no host of their own for FIPS there */
    bool has_own_roots;      /* certificates there need not be of Amazon Trust Services */
};

static const struct partition partitions[] = {
    {"us-gov-", "amazonaws.com", "api.aws", true, false},
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false, true},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu", false, true},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud", false, true},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov", false, true},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov", false, true},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk", false, true},
    {"", "amazonaws.com", "api.aws", false, false},
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
    ret->has_amazon_certificate = !partition->has_own_roots;
}

/* An interface endpoint of a VPC, for one: vpce-….kinesis.<region>.vpce.amazonaws.com */
static bool is_host_of_amazon(struct span host, struct span region) {
    const struct partition *partition = partition_of(region);
    const char *const suffixes[] = {partition->dns_suffix, partition->dual_stack_suffix};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        struct span suffix = span_of_text(suffixes[i]);
        struct span end = span_skip(host, host.len > suffix.len ? host.len - suffix.len : 0);
        if (host.len > suffix.len && host.ptr[host.len - suffix.len - 1] == '.' &&
            span_equals_ignoring_case(end, suffix)) {
            return !partition->has_own_roots;
        }
    }
    return false;
}

/* http(s)://host[:port][/path], the scheme in lower case and the path without slashes at its end.
 */
static bool split_custom_url(struct span text, struct url *ret) {
    struct url url = {0};
    if (!url_split(text, &url) || url.user_info.ptr != NULL || url.query.ptr != NULL) {
        return false;
    }
    if (span_equals_ignoring_case(url.scheme, SPAN("https"))) {
        url.scheme = SPAN("https");
    } else if (span_equals_ignoring_case(url.scheme, SPAN("http"))) {
        url.scheme = SPAN("http");
    } else {
        return false;
    }
    while (span_ends_with(url.path, SPAN("/"))) {
        url.path.len--;
    }
    *ret = url;
    return true;
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
    if (!split_custom_url(text, &url)) {
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
    ret->has_amazon_certificate = is_host_of_amazon(url.host, span_of_text(ret->region));
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

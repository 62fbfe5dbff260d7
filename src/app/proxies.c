// SPDX-License-Identifier: MIT
#include "app/proxies.h"

#include "app/variables.h"
#include "net/url.h"

static bool is_proxy_scheme(struct span scheme) {
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (span_equals_ignoring_case(scheme, span_of_text(schemes[i]))) {
            return true;
        }
    }
    return scheme.ptr == NULL; /* "host:port" */
}

static bool is_proxy(struct span value) {
    struct url url = {0};
    return url_split(value, &url) && is_proxy_scheme(url.scheme) && url.path.len <= 1 &&
           url.query.ptr == NULL;
}

static struct span read_one(char *const *environment, const char *const names[4],
                            struct buf *mistakes) {
    for (size_t i = 0; i < 4; i++) {
        struct span value = span_trim(variable(environment, names[i]));
        if (value.len > 0 && !is_proxy(value)) {
            buf_append_format(mistakes,
                              "%s is no proxy's URL; it must be [scheme://][user:password@]"
                              "host[:port] (its value is not shown: it may hold a password)\n",
                              names[i]);
            return span_of(NULL, 0);
        }
        if (value.len > 0) {
            return value;
        }
    }
    return span_of(NULL, 0);
}

struct http_proxies proxies_read(char *const *environment, struct buf *mistakes) {
    static const char *const https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    static const char *const http[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    return (struct http_proxies){
        .for_https = read_one(environment, https, mistakes),
        .for_http = read_one(environment, http, mistakes),
        .bypass = span_trim(variable_or(environment, "no_proxy", "NO_PROXY")),
    };
}

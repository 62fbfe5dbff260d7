// SPDX-License-Identifier: MIT
#include "app/client.h"

#include <stdio.h>

struct http_client *client_create(const struct config *config, const struct clock *clock,
                                  struct error *err) {
    char ca_file[4096];
    (void)snprintf(ca_file, sizeof ca_file, "%.*s", SPAN_ARGS(config->ca_file));
    const struct http_client_settings settings = {
        .ca_file = config->ca_file.len > 0 ? ca_file : NULL,
        .proxies = config->proxies,
        .clock = clock,
    };
    return http_client_create(&settings, err);
}

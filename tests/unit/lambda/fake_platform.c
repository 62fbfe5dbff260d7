// SPDX-License-Identifier: MIT
#include "fake_platform.h"

#include <stdio.h>
#include <stdlib.h>

static void serve(struct tcp_peer *peer, void *context) {
    struct fake_platform *platform = context;
    while (tcp_read_request(peer, &platform->request) && platform->status != 0) {
        bool rejects = platform->rejections > 0;
        platform->rejections -= rejects;
        tcp_answer(peer, rejects ? 400 : platform->status, platform->headers, platform->body);
    }
}

void fake_platform_start(struct fake_platform *platform) {
    *platform = (struct fake_platform){.status = 200, .headers = "", .body = ""};
    platform->request = buf_with_ceiling(1024 * 1024);
    tcp_server_start(&platform->server, serve, platform);
    (void)snprintf(platform->host, sizeof platform->host, "127.0.0.1:%u", platform->server.port);
    const struct http_client_settings settings = {.clock = clock_system()};
    struct error err;
    platform->client = http_client_create(&settings, &err);
    if (platform->client == NULL) {
        abort();
    }
}

void fake_platform_stop(struct fake_platform *platform) {
    http_client_destroy(platform->client);
    tcp_server_stop(&platform->server);
    buf_done(&platform->request);
}

bool fake_platform_saw(const struct fake_platform *platform, const char *text) {
    return span_find(buf_span(&platform->request), span_of_text(text)) != NULL;
}

bool fake_platform_saw_body(const struct fake_platform *platform, const char *text) {
    return span_ends_with(buf_span(&platform->request), span_of_text(text));
}

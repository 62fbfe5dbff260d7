// SPDX-License-Identifier: MIT
/* What all calls to the platform's local HTTP API have in common, whichever of its APIs they
 * belong to. In the thread of the http_client. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"
#include "net/http_client.h"

#include <stdbool.h>

enum { PLATFORM_CALL_HEADERS_MAX = 4 };

struct platform_call {
    const char *host; /* host and port */
    const char *method;
    const char *path;
    const char *extension_id;                           /* NULL before registration */
    struct span headers[PLATFORM_CALL_HEADERS_MAX - 1]; /* more of them; empty ones do not count */
    struct span body;
    int64_t time_limit_ms;
};

/* Starts the call; as http_client_start(). */
MUST_CHECK struct http_exchange *platform_call_start(struct http_client *client,
                                                     const struct platform_call *call,
                                                     http_done_fn done, void *context,
                                                     struct error *err);

/* Reads the answer into whatever `ret` is; called when one came, whatever its status. */
typedef bool (*platform_reader_fn)(const struct http_answer *answer, void *ret, struct error *err);

/* Makes the call and drives the client until it is answered or its time limit, which it must have,
 * is over. True when `read` says so. */
MUST_CHECK bool platform_call_wait(struct http_client *client, const struct platform_call *call,
                                   platform_reader_fn read, void *ret, struct error *err);

/* Sets ERR_REFUSED with what the platform says about it, {"errorType","errorMessage"}, as far as
 * that is printable. `what` begins the message: "registration". Returns false. */
bool platform_call_refused(const struct http_answer *answer, const char *what, struct error *err);

/* Copies printable ASCII, cut to fit; everything else becomes '?'. `size` counts the NUL. */
void platform_copy_text(char *ret, size_t size, struct span text);

// SPDX-License-Identifier: MIT
/* Where records go: the interface between the shipper, which groups, retries, backs off and counts,
 * and a service, which knows its wire format and what its answers mean. All in the main thread.
 *
 * To add one: implement this interface in destinations/<name>.c. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "pipeline/record_group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Requests that may be in flight at once. One answer takes 10 to 20 ms within a region, and a
 * request of 256 KiB takes a 128 MB function (a fourteenth of a processor) about as long to sign
 * and encrypt: with two it never waits, and two is what the default size of requests leaves memory
 * for. Four of a smaller size cover a slow answer; more would only cost memory and TLS handshakes.
 */
enum { DESTINATION_LANES_MAX = 4 };

struct destination_limits {
    size_t max_records;        /* in a request */
    size_t max_record_bytes;   /* data and key of one record */
    size_t max_request_bytes;  /* data and keys of all its records */
    size_t billing_unit_bytes; /* a record costs its size divided by this, rounded up */
};

enum record_fate {
    RECORD_DELIVERED,
    RECORD_RETRY,
    RECORD_NEVER, /* the destination will not take it, however often it is sent */
};

/* How soon what is to be retried may go again. */
enum retry_pace {
    PACE_NOW, /* at once, on a fresh connection where that matters; the shipper allows one in a row
               */
    PACE_TRANSIENT,     /* a fault that usually passes */
    PACE_THROTTLED,     /* the destination asks for less */
    PACE_MISCONFIGURED, /* somebody has to mend something */
    PACE_NEVER,         /* nothing is to be retried: what failed is given up */
    PACE_SMALLER,       /* as transient, but with half as many records in the request */
};

enum { DELIVERY_REASON_BYTES = 384 };

/* How a send ended. */
struct delivery {
    const enum record_fate
        *fates;             /* one for each record that was sent; valid during the callback */
    enum retry_pace pace;   /* for those with RECORD_RETRY */
    int64_t retry_after_ms; /* what the service asked for, else 0 */
    char reason[DELIVERY_REASON_BYTES]; /* for people, when not all was delivered; else "" */
};

typedef void (*delivery_done_fn)(void *context, const struct delivery *delivery);

struct destination {
    const char *name;
    struct destination_limits limits;

    /* Starts a send of the first `count` records of *group in a free lane (0 …
     * DESTINATION_LANES_MAX - 1). The group must not change until `done` was called or the lane was
     * cancelled. On failure `done` is never called and nothing was sent. Never blocks. */
    bool (*send)(struct destination *self, size_t lane, const struct record_group *group,
                 size_t count, bool fresh_connection, delivery_done_fn done, void *context,
                 struct error *err);

    /* Ends the send of a lane without calling `done`; no effect when none is running. */
    void (*cancel)(struct destination *self, size_t lane);
};

// SPDX-License-Identifier: MIT
/* Credentials that have to be fetched, and fetched again before they expire.
 *
 * A provider fetches; the cache decides when, keeps what came, and is the credentials_source. It
 * refreshes ahead of the expiry while the old ones go on being used, and never uses ones that have
 * expired. Nothing is fetched unless somebody asks: an environment may be frozen, or a snapshot,
 * for hours. The expiry is compared with the wall clock each time, for the same reason. */
#pragma once

#include "aws/credentials.h"
#include "base/buf.h"
#include "base/clock.h"

#include <stdint.h>

enum {
    /* The SDKs begin so long before the expiry … */
    CREDENTIALS_REFRESH_AHEAD_MS = 15 * 60 * 1000,
    /* … and here after half of what is left, when that is later: such credentials are common in
     * environments that live for a few minutes only. */
    CREDENTIALS_REFRESH_SHARE = 2,
    /* Fresh ones that a service refuses are not fetched again before this. */
    CREDENTIALS_RENEW_AGAIN_MS = 1000,
    /* After a failure: doubled each time, up to the longest, and between half and all of it. */
    CREDENTIALS_RETRY_MS = 200,
    CREDENTIALS_RETRY_LONGEST_MS = 20000,
    CREDENTIALS_BYTES_MAX = 64 * 1024, /* all three; a session token has no documented bound */
};

struct credentials_grant {
    struct credentials credentials;
    int64_t expires_wall_ms; /* INT64_MAX: not known */
};

/* `grant` is valid during the call; NULL when there is none, and *err says why. */
typedef void (*credentials_granted_fn)(void *context, const struct credentials_grant *grant,
                                       const struct error *err);

/* One fetch at a time. */
struct credentials_provider {
    /* Begins. On success `done` is called once, later; on failure never. */
    bool (*fetch)(struct credentials_provider *self, credentials_granted_fn done, void *context,
                  struct error *err);
    /* Ends a running fetch without calling `done`. */
    void (*cancel)(struct credentials_provider *self);
};

struct credentials_cache {
    struct credentials_source source; /* first, so that a pointer to it is a pointer to this */
    struct credentials_provider *provider;
    const struct clock *clock;
    struct credentials_waiter *waiters;
    struct buf text; /* what the credentials point into */
    struct credentials credentials;
    bool held;           /* there are credentials, and no service has refused them */
    int64_t expires_ms;  /* wall */
    int64_t refresh_ms;  /* wall */
    int64_t fetched_ms;  /* monotonic: the latest success */
    int64_t fetch_at_ms; /* monotonic: not before this, after a failure */
    unsigned failures;   /* in a row */
    bool fetching;
    struct error error; /* of the latest failure */
};

/* The provider and the clock must outlive this. Fetches nothing yet. */
void credentials_cache_init(struct credentials_cache *cache, struct credentials_provider *provider,
                            const struct clock *clock);

/* Gives up a running fetch, whose answer will not come, and has those who wait ask again. */
void credentials_cache_interrupt(struct credentials_cache *cache);

/* Cancels a running fetch; nobody may wait any more. A zeroed cache is fine; may run twice. */
void credentials_cache_done(struct credentials_cache *cache);

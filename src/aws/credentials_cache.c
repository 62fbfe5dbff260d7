// SPDX-License-Identifier: MIT
#include "aws/credentials_cache.h"

#include "base/crypto.h"

enum { DOUBLINGS_MAX = 10 };

static bool is_usable(const struct credentials_cache *cache) {
    return cache->held && clock_wall_ms(cache->clock) < cache->expires_ms;
}

static bool is_due(const struct credentials_cache *cache) {
    return !is_usable(cache) || clock_wall_ms(cache->clock) >= cache->refresh_ms;
}

/* --- what a fetch brings --- */

static int64_t retry_delay_ms(unsigned failures) {
    unsigned doublings = failures - 1 < DOUBLINGS_MAX ? failures - 1 : DOUBLINGS_MAX;
    int64_t delay_ms = (int64_t)CREDENTIALS_RETRY_MS << doublings;
    if (delay_ms > CREDENTIALS_RETRY_LONGEST_MS) {
        delay_ms = CREDENTIALS_RETRY_LONGEST_MS;
    }
    uint32_t random = 0;
    if (!crypto_random(&random, sizeof random, NULL)) {
        return delay_ms;
    }
    return delay_ms - (int64_t)(random % (uint32_t)(delay_ms / 2));
}

static void book_failure(struct credentials_cache *cache, const struct error *err) {
    cache->failures++;
    cache->error = *err;
    cache->fetch_at_ms = clock_monotonic_ms(cache->clock) + retry_delay_ms(cache->failures);
}

static struct span append(struct buf *text, struct span value) {
    size_t from = text->len;
    buf_append(text, value);
    return buf_failed(text) ? span_of(NULL, 0) : span_skip(buf_span(text), from);
}

/* Replaces what is held only when everything is in order. */
static bool keep(struct credentials_cache *cache, const struct credentials_grant *grant,
                 struct error *err) {
    const struct credentials *given = &grant->credentials;
    if (given->access_key_id.len == 0 || given->secret_access_key.len == 0) {
        return error_set(err, ERR_INVALID, "the credentials that came are not complete");
    }
    int64_t now_ms = clock_wall_ms(cache->clock);
    if (grant->expires_wall_ms <= now_ms) {
        return error_set(err, ERR_UNAVAILABLE, "the credentials that came have expired already");
    }
    struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    (void)buf_reserve(&text, given->access_key_id.len + given->secret_access_key.len +
                                 given->session_token.len); /* so that no span moves */
    const struct credentials copy = {
        .access_key_id = append(&text, given->access_key_id),
        .secret_access_key = append(&text, given->secret_access_key),
        .session_token = append(&text, given->session_token),
    };
    if (buf_failed(&text)) {
        buf_done(&text);
        return error_set_memory(err, "credentials");
    }
    buf_done(&cache->text);
    cache->text = text;
    cache->credentials = copy;
    cache->held = true;
    int64_t half_ms = (grant->expires_wall_ms - now_ms) / CREDENTIALS_REFRESH_SHARE;
    cache->expires_ms = grant->expires_wall_ms;
    cache->refresh_ms =
        grant->expires_wall_ms -
        (half_ms < CREDENTIALS_REFRESH_AHEAD_MS ? half_ms : CREDENTIALS_REFRESH_AHEAD_MS);
    return true;
}

static void on_granted(void *context, const struct credentials_grant *grant,
                       const struct error *err) {
    struct credentials_cache *cache = context;
    struct error cause = {0};
    cache->fetching = false;
    if (grant == NULL) {
        book_failure(cache, err);
    } else if (!keep(cache, grant, &cause)) {
        book_failure(cache, &cause);
    } else {
        cache->failures = 0;
        cache->fetched_ms = clock_monotonic_ms(cache->clock);
    }
    credentials_wake_all(&cache->waiters);
}

/* --- the source --- */

static void fetch_if_allowed(struct credentials_cache *cache) {
    struct error err = {0};
    if (cache->fetching ||
        (cache->failures > 0 && clock_monotonic_ms(cache->clock) < cache->fetch_at_ms)) {
        return;
    }
    cache->fetching = true;
    if (!cache->provider->fetch(cache->provider, on_granted, cache, &err)) {
        cache->fetching = false;
        book_failure(cache, &err);
    }
}

static enum credentials_answer current(struct credentials_source *source, struct credentials *ret,
                                       struct credentials_waiter *waiter, struct error *err) {
    struct credentials_cache *cache = (struct credentials_cache *)source;
    if (is_due(cache)) {
        fetch_if_allowed(cache);
    }
    if (is_usable(cache)) {
        *ret = cache->credentials;
        return CREDENTIALS_READY;
    }
    if (cache->fetching) {
        if (waiter != NULL) {
            credentials_wait(&cache->waiters, waiter);
        }
        return CREDENTIALS_PENDING;
    }
    error_set(err, cache->error.code, "%s", cache->error.message);
    return CREDENTIALS_NONE;
}

/* Requests that were signed with the old ones may be answered when there are new ones already. */
static void renew(struct credentials_source *source) {
    struct credentials_cache *cache = (struct credentials_cache *)source;
    int64_t fresh_until_ms = cache->fetched_ms + CREDENTIALS_RENEW_AGAIN_MS;
    if (cache->held && clock_monotonic_ms(cache->clock) >= fresh_until_ms) {
        cache->held = false;
    }
}

void credentials_cache_init(struct credentials_cache *cache, struct credentials_provider *provider,
                            const struct clock *clock) {
    *cache = (struct credentials_cache){
        .source = {.current = current, .renew = renew},
        .provider = provider,
        .clock = clock,
        .text = buf_with_ceiling(CREDENTIALS_BYTES_MAX),
    };
}

static void cancel(struct credentials_cache *cache) {
    if (cache->fetching) {
        cache->provider->cancel(cache->provider);
        cache->fetching = false;
    }
}

void credentials_cache_interrupt(struct credentials_cache *cache) {
    cancel(cache);
    credentials_wake_all(&cache->waiters);
}

void credentials_cache_done(struct credentials_cache *cache) {
    cancel(cache);
    buf_done(&cache->text);
    cache->credentials = (struct credentials){0};
    cache->held = false;
}

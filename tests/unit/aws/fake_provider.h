// SPDX-License-Identifier: MIT
/* A credentials_provider that gives what a test says, when it says so. */
#pragma once

#include "aws/credentials_cache.h"

#include <stdio.h>

struct fake_provider {
    struct credentials_provider provider; /* first, so that a pointer to it is a pointer to this */
    bool refuses;                         /* to begin */
    int fetches;
    int cancels;
    credentials_granted_fn done;
    void *context;
};

static inline bool fake_provider_fetch(struct credentials_provider *self,
                                       credentials_granted_fn done, void *context,
                                       struct error *err) {
    struct fake_provider *fake = (struct fake_provider *)self;
    fake->fetches++;
    fake->done = done;
    fake->context = context;
    return !fake->refuses || error_set(err, ERR_REFUSED, "not now");
}

static inline void fake_provider_cancel(struct credentials_provider *self) {
    ((struct fake_provider *)self)->cancels++;
}

static inline struct fake_provider fake_provider_of_none(void) {
    return (struct fake_provider){
        .provider = {.fetch = fake_provider_fetch, .cancel = fake_provider_cancel}};
}

/* Ends the running fetch with credentials, whose text is gone afterwards. INT64_MAX: for ever. */
static inline void fake_provider_grant(struct fake_provider *fake, const char *id,
                                       int64_t expires_wall_ms) {
    char text[64];
    (void)snprintf(text, sizeof text, "%s", id);
    const struct credentials_grant given = {
        .credentials = {span_of_text(text), SPAN("secret"), SPAN("token")},
        .expires_wall_ms = expires_wall_ms,
    };
    fake->done(fake->context, &given, NULL);
    memset(text, 'x', sizeof text);
}

static inline void fake_provider_fail(struct fake_provider *fake, enum error_code code,
                                      const char *why) {
    struct error err = {0};
    (void)error_set(&err, code, "%s", why);
    fake->done(fake->context, NULL, &err);
}

// SPDX-License-Identifier: MIT
#include "app/trouble.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

void trouble_init(struct trouble *trouble, const struct clock *clock) {
    *trouble = (struct trouble){.clock = clock};
}

static const char *advice(enum retry_pace kind) {
    switch (kind) {
    case PACE_MISCONFIGURED:
        return "; the logs are kept and sent when this is mended";
    case PACE_THROTTLED:
        return "; if this goes on, the stream needs more shards";
    case PACE_NEVER:
        return "; Kinesis will never take them, so they are lost";
    case PACE_NOW:
    case PACE_TRANSIENT:
    case PACE_SMALLER:
        break;
    }
    return "; trying again";
}

void trouble_say(struct trouble *trouble, enum retry_pace kind, const char *reason) {
    int64_t now = clock_monotonic_ms(trouble->clock);
    int64_t said = trouble->said_ms[kind];
    if (said != 0 && now - said < TROUBLE_INTERVAL_MS) {
        trouble->unsaid[kind]++;
        return;
    }
    char fields[64];
    (void)snprintf(fields, sizeof fields, "\"unsaid\":%" PRIu32, trouble->unsaid[kind]);
    log_fields(LOG_WARN, fields, "records were not delivered: %s%s", reason, advice(kind));
    trouble->said_ms[kind] = now;
    trouble->unsaid[kind] = 0;
}

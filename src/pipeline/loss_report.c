// SPDX-License-Identifier: MIT
#include "pipeline/loss_report.h"

#include <inttypes.h>

enum { EVENT_CEILING = 512 };

static bool push_event(enum drop_cause cause, struct tally lost, struct batch_queue *queue,
                       const struct clock *clock) {
    char time[CLOCK_TEXT_BYTES];
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(EVENT_CEILING);
    clock_format_iso8601(clock_wall_ms(clock), time);
    buf_append_format(&body,
                      "[{\"time\":\"%s\",\"type\":\"extension.logsDropped\",\"record\":{"
                      "\"cause\":\"%s\",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64 "}}]",
                      time, drop_cause_name(cause), lost.events, lost.bytes);
    return !buf_failed(&body) && batch_queue_push(queue, &body, NULL);
}

void loss_report_push(struct loss_report *report, const struct ledger *ledger,
                      struct batch_queue *queue, const struct clock *clock) {
    for (enum drop_cause cause = 0; cause < DROP_CAUSES; cause++) {
        const struct tally *dropped = &ledger->dropped[cause];
        struct tally *told = &report->told[cause];
        struct tally lost = {
            .events = dropped->events - told->events,
            .bytes = dropped->bytes - told->bytes,
        };
        if (lost.events > 0 && push_event(cause, lost, queue, clock)) {
            *told = *dropped;
        }
    }
}

// SPDX-License-Identifier: MIT
/* Tells consumers in-band what was lost: as soon as the destination takes records again, an event
 *   {"time":"…","type":"extension.logsDropped","record":{"cause":"refused","events":12,"bytes":3400}}
 * goes the way of all events. Main thread. */
#pragma once

#include "base/clock.h"
#include "pipeline/batch_queue.h"
#include "pipeline/ledger.h"

/* What was told already. Zeroed: nothing. */
struct loss_report {
    struct tally told[DROP_CAUSES];
};

/* Pushes an event for each cause that the ledger knows more of than was told. What the queue has no
 * room for is told later. */
void loss_report_push(struct loss_report *report, const struct ledger *ledger,
                      struct batch_queue *queue, const struct clock *clock);

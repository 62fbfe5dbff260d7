// SPDX-License-Identifier: MIT
#include "pipeline/ledger.h"

void ledger_add(struct tally *tally, uint64_t events, uint64_t bytes) {
    tally->events += events;
    tally->bytes += bytes;
}

struct tally ledger_dropped(const struct ledger *ledger) {
    struct tally sum = {0};
    for (int cause = 0; cause < DROP_CAUSES; cause++) {
        ledger_add(&sum, ledger->dropped[cause].events, ledger->dropped[cause].bytes);
    }
    return sum;
}

struct tally ledger_pending(const struct ledger *ledger) {
    struct tally dropped = ledger_dropped(ledger);
    return (struct tally){
        .events = ledger->received.events - ledger->delivered.events - dropped.events,
        .bytes = ledger->received.bytes - ledger->delivered.bytes - dropped.bytes,
    };
}

const char *drop_cause_name(enum drop_cause cause) {
    switch (cause) {
    case DROP_REFUSED:
        return "refused";
    case DROP_NO_MEMORY:
        return "noMemory";
    case DROP_TOO_LARGE:
        return "tooLarge";
    case DROP_SHUTDOWN:
        return "shutdown";
    case DROP_DISK:
        return "disk";
    case DROP_CAUSES:
        break;
    }
    return "unknown";
}

// SPDX-License-Identifier: MIT
/* What became of every event: received = delivered + pending + dropped by cause, always. What is on
 * disk is pending.
 * Plain data of the main thread. */
#pragma once

#include <stdint.h>

enum drop_cause {
    DROP_REFUSED,   /* the destination will never take it */
    DROP_NO_MEMORY, /* it could not be made into a record */
    DROP_TOO_LARGE, /* it fits no record, not even in parts */
    DROP_SHUTDOWN,  /* still undelivered when the environment ended, and there was no spool */
    DROP_DISK,      /* still undelivered then, and the spool was full or failed */
    DROP_CAUSES,    /* how many causes there are */
};

struct tally {
    uint64_t events;
    uint64_t bytes; /* of the events as they were received */
};

struct ledger {
    struct tally received;
    struct tally delivered;
    struct tally dropped[DROP_CAUSES];
    struct tally replayed;         /* of the received: from the spool of an earlier process */
    struct tally spooled;          /* of the pending: left on disk at the end */
    struct tally platform_dropped; /* what platform.logsDropped says was lost before us */
    uint64_t unparsed;             /* of the received: events made from invalid bytes */
    uint64_t filtered;        /* read but of a type that is not shipped; not part of received */
    uint64_t requests;        /* sent, all attempts */
    uint64_t records;         /* delivered */
    uint64_t record_bytes;    /* of these, data and keys */
    uint64_t payload_units;   /* PUT payload units of 25 KB that these cost */
    uint64_t retried_records; /* sent again */
};

void ledger_add(struct tally *tally, uint64_t events, uint64_t bytes);
struct tally ledger_dropped(const struct ledger *ledger);
/* received - delivered - dropped. */
struct tally ledger_pending(const struct ledger *ledger);
const char *drop_cause_name(enum drop_cause cause);

// SPDX-License-Identifier: MIT
/* What has arrived at the bench's Kinesis: counters in a file that the bench maps, too, and a bit
 * for each event that is to come. Any thread. */
#pragma once

#include "base/span.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* tests/bench/kinesis_peer.py reads these in this order. */
struct arrival_counters {
    _Atomic uint64_t connections;
    _Atomic uint64_t requests;   /* answered … */
    _Atomic uint64_t examined;   /* … and looked into, too */
    _Atomic uint64_t wire_bytes; /* that came over the sockets, with TLS and HTTP */
    _Atomic uint64_t body_bytes; /* of requests */
    _Atomic uint64_t records;
    _Atomic uint64_t record_bytes; /* data and keys */
    _Atomic uint64_t units;        /* that Kinesis would bill */
    _Atomic uint64_t events;       /* different ones, that is bits set */
    _Atomic uint64_t repeated;
    _Atomic uint64_t strange; /* events that nobody sent, records and requests that make no sense */
};

struct arrivals {
    struct arrival_counters *counters;
    _Atomic uint64_t *seen; /* a bit for each event */
    size_t bodies, events_a_body;
};

/* Counts in `path`, which is made. Events are marked `seq=BODY-EVENT`, six and five digits, BODY
 * below `bodies` and EVENT below `events_a_body`. Prints why when it returns false. */
bool arrivals_open(struct arrivals *arrivals, const char *path, size_t bodies,
                   size_t events_a_body);

/* Books every mark in `text`. */
void arrivals_find(struct arrivals *arrivals, struct span text);

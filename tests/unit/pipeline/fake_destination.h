// SPDX-License-Identifier: MIT
/* A destination whose answers are given by the test. It finds the numbers of the events in what it
 * is sent ("e-000042" in a record's text) and fails the test when one arrives that was accepted
 * before, or when a group changes while it is being sent. */
#pragma once

#include "pipeline/destination.h"

#include <stdint.h>

enum { FAKE_EVENTS_MAX = 60000 };

struct fake_send {
    bool running;
    const struct record_group *group;
    size_t count;
    uint64_t checksum; /* of the group when it was sent */
    bool fresh_connection;
    delivery_done_fn done;
    void *context;
};

struct fake_destination {
    struct destination destination; /* first, so that a pointer to it is a pointer to this */
    struct fake_send lanes[DESTINATION_LANES_MAX];
    enum error_code send_fails; /* ERR_NONE: it works */
    size_t sends;
    size_t cancels;
    uint64_t accepted_events;
    uint64_t refused_events;
    bool may_repeat;          /* what was accepted may come again … */
    uint64_t repeated_events; /* … and is counted here, too */
    uint64_t loss_reports; /* accepted events of type extension.logsDropped; not among the others */
    uint8_t accepted[FAKE_EVENTS_MAX]; /* how often */
    uint8_t refused[FAKE_EVENTS_MAX];
};

void fake_destination_init(struct fake_destination *fake, struct destination_limits limits);

/* The first running send, or -1. */
int fake_destination_running(const struct fake_destination *fake);
size_t fake_destination_count_running(const struct fake_destination *fake);

/* Answers a running send: fates for each of its records. */
void fake_destination_answer(struct fake_destination *fake, size_t lane,
                             const enum record_fate *fates, enum retry_pace pace,
                             int64_t retry_after_ms);

/* The same fate for each record. */
void fake_destination_answer_all(struct fake_destination *fake, size_t lane, enum record_fate fate,
                                 enum retry_pace pace);

/* The answer to everything that is running. */
void fake_destination_accept_all(struct fake_destination *fake);

/* Whether a record that is being sent holds the event. */
bool fake_destination_record_has(const struct fake_destination *fake, size_t lane, size_t index,
                                 unsigned event);

// SPDX-License-Identifier: MIT
/* A shipper with a real queue, enricher and packer, between a test that pushes bodies and a
 * destination that answers what the test says. Every step checks the ledger against what the
 * destination saw. */
#pragma once

#include "../fake_clock.h"
#include "../scratch.h"
#include "fake_destination.h"
#include "pipeline/shipper.h"

enum { RIG_QUEUE_BYTES = 64 * 1024 * 1024 };

/* Zero means: what most tests want. */
struct rig_options {
    const struct format *format; /* ndjson */
    enum partition_key partition_key;
    size_t record_bytes;     /* 1000 */
    size_t group_bytes;      /* 20000 */
    size_t max_records;      /* 500 */
    size_t max_record_bytes; /* 100000 */
    size_t lanes;            /* DESTINATION_LANES_MAX */
    size_t queue_bytes;      /* RIG_QUEUE_BYTES */
    uint64_t spool_bytes;    /* no spool */
    int64_t gather_ms;       /* nothing waits for more */
    bool only_functions;     /* platform events are not shipped */
    bool enriched;
};

struct rig {
    struct rig_options options;
    struct fake_clock clock;
    struct fake_destination destination;
    struct batch_queue *queue;
    struct enricher enricher;
    struct spool *spool;
    char spool_path[SCRATCH_PATH_BYTES];
    struct shipper *shipper;
    struct {
        uint64_t accepted, refused, loss_reports;
        size_t sends;
    } before; /* what the destination had seen when this process began */
    unsigned processes;
    unsigned next_event; /* number of the next event that is made */
    uint64_t observed;   /* events */
    uint64_t filtered_out;
    uint64_t position; /* of the last event that was observed */
    uint64_t runtime_done_position;
    uint64_t troubles;
    enum retry_pace last_trouble;
    bool counts_differ; /* the destination cannot tell how many events a record holds */
};

void rig_init(struct rig *rig, struct rig_options options);
void rig_done(struct rig *rig);

/* Stops the shipper and starts the next process over the same spool: its events come from another
 * environment ("000000000002" and so on). A crash does the same without stopping the shipper. */
void rig_restart(struct rig *rig);
void rig_crash(struct rig *rig);

/* Whether files can be written. */
void rig_set_disk(bool works);

/* A body as the platform delivers it; rig_push_body() takes the text. Whether the queue took it. */
bool rig_push_body(struct rig *rig, struct span body);

/* `count` function events whose records have `bytes` characters (8 at least). */
bool rig_push(struct rig *rig, unsigned count, unsigned bytes);

/* rig_push() that must succeed, and a pump. */
void rig_ship(struct rig *rig, unsigned count, unsigned bytes);

/* One shipper_pump() and the checks. */
void rig_pump(struct rig *rig);
void rig_check(const struct rig *rig);

/* Goes on to when the shipper wants to be woken, which must be known, and pumps. */
void rig_sleep(struct rig *rig);

/* Answers and pumps. */
void rig_answer(struct rig *rig, size_t lane, enum record_fate fate, enum retry_pace pace);

/* Accepts everything until nothing is left. */
void rig_accept_everything(struct rig *rig);

/* How long the shipper waits from now; INT64_MAX: for ever. */
int64_t rig_wait_ms(const struct rig *rig);

/* All events that were made have arrived, each once. */
void rig_expect_all_delivered(const struct rig *rig);

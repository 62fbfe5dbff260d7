// SPDX-License-Identifier: MIT
/* Everything between the listener and Kinesis, built from the configuration: queue, enricher,
 * packer, destination and shipper, and how the memory limit is shared among them. Main thread, but
 * for the queue. */
#pragma once

#include "app/config.h"
#include "app/trouble.h"
#include "aws/aws_call.h"
#include "aws/credentials_chain.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/gzip.h"
#include "destinations/kinesis.h"
#include "lambda/extensions_api.h"
#include "net/http_client.h"
#include "pipeline/batch_queue.h"
#include "pipeline/cloudwatch_envelope.h"
#include "pipeline/cloudwatch_events.h"
#include "pipeline/enricher.h"
#include "pipeline/shipper.h"
#include "pipeline/spool.h"

struct shipping {
    struct batch_queue *queue;
    struct enricher enricher;
    struct credentials_chain credentials;
    struct aws_client client;
    struct kinesis *kinesis;
    struct gzip_compressor compressor;   /* for as long as the shipper */
    struct cloudwatch_events cloudwatch; /* of the format cloudwatch, like the next */
    struct cloudwatch_origin origin;
    struct buf envelope; /* of that origin; always of the same length, and never moved */
    struct spool *spool; /* NULL: none */
    struct shipper *shipper;
};

/* Who is told of events and of trouble; see shipper.h. All pointed to must outlive the shipping. */
struct shipping_settings {
    const struct config *config;
    const struct lambda_function *function;
    struct http_client *http;
    const struct clock *clock;
    struct event_observer events;
    struct trouble_observer troubles;
};

MUST_CHECK bool shipping_init(struct shipping *shipping, const struct shipping_settings *settings,
                              struct error *err);

/* This environment was restored from a snapshot, as others are from the same one: from the next
 * event on it is itself, and nothing of the network is left. Also from within an event_observer. */
void shipping_restored(struct shipping *shipping);

/* Cancels what is in flight. A zeroed shipping is fine; may run twice. */
void shipping_done(struct shipping *shipping);

/* How EXTENSION_LOG_QUEUE_BYTES is shared: requests in flight and what is being moved to disk get
 * fixed parts of it, the queue the rest. `record_bytes` and `compressed`: how records are filled.
 * Pure. */
struct memory_shares {
    size_t lanes;             /* requests in flight */
    size_t record_bytes;      /* to fill a record up to: as wanted, or less with little memory */
    size_t largest_bytes;     /* of one record, whatever the service would take */
    size_t group_bytes;       /* of records in one request */
    size_t spill_group_bytes; /* of records that are moved to disk together */
    size_t queue_bytes;
};
struct memory_shares memory_shares_of(uint64_t limit_bytes, uint64_t record_bytes, bool compressed);

/* Logs the one line of totals. `held_ms`: how long invocations were held beyond their end. */
void shipping_log_totals(const struct shipping *shipping, int64_t held_ms);

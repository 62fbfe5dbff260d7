// SPDX-License-Identifier: MIT
#include "app/shipping.h"

#include "base/base64.h"
#include "base/crypto.h"
#include "base/log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define SPOOL_NAME "kinesis-stream-logs-extension"

enum {
    SPOOL_PATH_BYTES = 4096,
    /* A request smaller than this wastes round trips, a larger one gains nothing more. */
    GROUP_BYTES_MAX = 1024 * 1024,
    /* 683 KiB with the default limit: each request has a fixed cost, and more would leave one alone
     * in its half of the limit, so that nothing is sent while it waits for its answer. */
    GROUPS_PER_LIMIT = 12,
    COMPRESSED_PER_LIMIT = 64,
    /* What is moved to disk because memory is short takes some itself: its records, a copy of them
     * with their table, and that compressed. So it is less than a usual group. */
    SPILLED_PART = 4,
    SPILLING_COPIES = 3,
    /* For the queue is left at least this part of the limit, even with records as large as can be.
     */
    QUEUE_PART = 3,
    BASE64_ROUNDING = 8, /* bytes that a request may have beyond 7/3 of its records */
    /* Of libdeflate's 1 to 12: docs/formats.md has what each costs and gains. */
    COMPRESSION_LEVEL = 1,
};

/* A lane holds its records and, while they are sent, the request with them in base64: 7/3 in all.
 * CBOR needs less, but may have to fall back to JSON. */
static size_t lane_bytes(size_t group_bytes) {
    return group_bytes + base64_encoded_length(group_bytes);
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* How small a record becomes is known only when it is closed, so a group must have room for one
 * that does not become smaller beside those that did. These are, by experience, the logs of four to
 * ten times as much. */
static uint64_t compressed_group_bytes(uint64_t limit, uint64_t record, uint64_t largest) {
    return smaller(record + limit / COMPRESSED_PER_LIMIT,
                   smaller(largest, KINESIS_REQUEST_BYTES_MAX));
}

/* At least a record; and as few of them as that would be too few of those that are compressed. */
static size_t spill_group_bytes(const struct memory_shares *shares, bool compressed) {
    size_t part = shares->group_bytes / SPILLED_PART;
    if (compressed) {
        return shares->group_bytes;
    }
    return part < shares->record_bytes ? shares->record_bytes : part;
}

/* Half of the limit is for requests in flight: one lane at least, so its records are no larger than
 * that. Of the other half, most is for the queue. */
struct memory_shares memory_shares_of(uint64_t limit_bytes, uint64_t record_bytes,
                                      bool compressed) {
    uint64_t group = smaller(limit_bytes / GROUPS_PER_LIMIT, GROUP_BYTES_MAX);
    uint64_t largest = (limit_bytes / 2 - BASE64_ROUNDING) / 7 * 3;
    uint64_t record = smaller(record_bytes, largest);
    if (compressed) {
        group = compressed_group_bytes(limit_bytes, record, largest);
    }
    struct memory_shares shares = {
        .lanes = DESTINATION_LANES_MAX,
        .record_bytes = record,
        .largest_bytes = largest,
        .group_bytes = group < record ? record : group,
    };
    while (shares.lanes > 1 && shares.lanes * lane_bytes(shares.group_bytes) > limit_bytes / 2) {
        shares.lanes--;
    }
    uint64_t left = limit_bytes - shares.lanes * lane_bytes(shares.group_bytes);
    shares.spill_group_bytes = spill_group_bytes(&shares, compressed);
    shares.queue_bytes =
        left - smaller(SPILLING_COPIES * shares.spill_group_bytes, left - limit_bytes / QUEUE_PART);
    return shares;
}

static bool make_environment_id(char ret[ENVIRONMENT_ID_BYTES], struct error *err) {
    uint8_t bytes[(ENVIRONMENT_ID_BYTES - 1) / 2];
    if (!crypto_random(bytes, sizeof bytes, err)) {
        return false;
    }
    crypto_hex(bytes, sizeof bytes, ret);
    ret[ENVIRONMENT_ID_BYTES - 1] = '\0';
    return true;
}

static bool is_cloudwatch(const struct config *config) {
    return config->format == &format_cloudwatch;
}

static bool init_enricher(struct shipping *shipping, const struct shipping_settings *settings,
                          struct error *err) {
    const struct config *config = settings->config;
    char environment_id[ENVIRONMENT_ID_BYTES];
    if (!make_environment_id(environment_id, err)) {
        return false;
    }
    const struct enricher_settings enriched = {
        .enabled = config->enrich && !is_cloudwatch(config),
        .concurrent = config->environment->is_concurrent,
        .function_name = span_of_text(settings->function->name),
        .function_version = span_of_text(settings->function->version),
        .account_id = span_of_text(settings->function->account_id),
        .region = config->region,
        .environment_id = environment_id,
        .tags = config->tags,
        .tag_count = config->tag_count,
    };
    return enricher_init(&shipping->enricher, &enriched, err);
}

/* What only the format cloudwatch needs. */
static bool init_cloudwatch(struct shipping *shipping, const struct shipping_settings *settings,
                            struct error *err) {
    const struct config *config = settings->config;
    int64_t now_ms = clock_wall_ms(settings->clock);
    shipping->origin = (struct cloudwatch_origin){
        .account_id = span_of_text(settings->function->account_id),
        .function_name = span_of_text(settings->function->name),
        .function_version = span_of_text(settings->function->version),
        .environment_id = span_of_text(shipping->enricher.environment_id),
        .started_ms = now_ms,
    };
    cloudwatch_events_init(&shipping->cloudwatch, shipping->enricher.environment_id,
                           config->source == LOG_SOURCE_LOGS_API, now_ms);
    shipping->envelope = buf_with_ceiling(SSIZE_MAX);
    if (is_cloudwatch(config)) {
        cloudwatch_envelope_append(&shipping->envelope, &shipping->origin);
    }
    return !buf_failed(&shipping->envelope) || error_set_memory(err, "the envelope of records");
}

static void on_fall_back(void *context, int status, const char *error_code) {
    (void)context;
    log_warn("the Kinesis endpoint does not understand CBOR (HTTP status %d %s): requests are JSON "
             "from now on; set EXTENSION_LOG_KINESIS_PROTOCOL=json",
             status, error_code[0] == '\0' ? "without an error code" : error_code);
}

static bool init_kinesis(struct shipping *shipping, const struct shipping_settings *settings,
                         struct error *err) {
    const struct config *config = settings->config;
    struct credentials_settings credentials = config->credentials;
    credentials.role.session_name = config->function_name;
    credentials_chain_init(&shipping->credentials, &credentials, settings->http, settings->clock);
    shipping->client = (struct aws_client){
        .http = settings->http,
        .clock = settings->clock,
        .credentials = credentials_chain_source(&shipping->credentials),
        .endpoint = config->endpoint,
        .service = "kinesis",
        .single_use = config->environment->is_restored, /* until then */
    };
    const struct kinesis_settings kinesis = {
        .client = &shipping->client,
        .stream = config->stream,
        .format = config->kinesis_protocol,
        .observer = {.on_fall_back = on_fall_back},
        .max_record_bytes = config->record_bytes,
    };
    shipping->kinesis = kinesis_create(&kinesis, err);
    return shipping->kinesis != NULL;
}

/* Without a spool everything works, but for what only a spool can do. */
static void open_spool(struct shipping *shipping, const struct config *config) {
    if (config->spool_bytes == 0) {
        return;
    }
    char path[SPOOL_PATH_BYTES];
    struct error err = {0};
    (void)snprintf(path, sizeof path, "%.*s/" SPOOL_NAME, SPAN_ARGS(config->temporary_directory));
    shipping->spool = spool_open(path, config->spool_bytes,
                                 kinesis_destination(shipping->kinesis)->limits.max_records, &err);
    if (shipping->spool == NULL) {
        log_warn("%s cannot keep undelivered logs: %s", path, err.message);
    } else if (spool_set_aside(shipping->spool) > 0) {
        log_warn("%s holds %" PRIu64 " files that are not whole segments", path,
                 spool_set_aside(shipping->spool));
    }
}

static bool is_compressed(const struct config *config) {
    return config->compression == COMPRESSION_GZIP;
}

static bool init_compressor(struct shipping *shipping, const struct config *config,
                            struct error *err) {
    return !is_compressed(config) ||
           gzip_compressor_init(&shipping->compressor, COMPRESSION_LEVEL, err);
}

static bool init_shipper(struct shipping *shipping, const struct shipping_settings *settings,
                         const struct memory_shares *shares, struct error *err) {
    const struct config *config = settings->config;
    struct destination *destination = kinesis_destination(shipping->kinesis);
    struct destination_limits limits = destination->limits;
    limits.max_record_bytes = smaller(limits.max_record_bytes, shares->largest_bytes);
    const struct shipper_settings shipper = {
        .queue = shipping->queue,
        .destination = destination,
        .enricher = &shipping->enricher,
        .clock = settings->clock,
        .packer =
            {
                .format = config->format,
                .partition_key = config->partition_key,
                .environment_id = span_of_text(shipping->enricher.environment_id),
                .function_name = span_of_text(settings->function->name),
                .envelope = buf_span(&shipping->envelope),
                .compressor = is_compressed(config) ? &shipping->compressor : NULL,
                .record_bytes = shares->record_bytes,
                .stretched_bytes = smaller(config->stretched_bytes, shares->group_bytes),
                .group_bytes = shares->group_bytes,
                .limits = limits,
            },
        .lanes = shares->lanes,
        .spool = shipping->spool,
        .spill_bytes = shares->queue_bytes / 2,
        .spill_group_bytes = shares->spill_group_bytes,
        /* Before a freeze, everything has to leave at once. */
        .gather_ms = config->environment->is_frozen ? 0 : (int64_t)config->max_delay_ms,
        .types = config->types,
        .cloudwatch = is_cloudwatch(config) ? &shipping->cloudwatch : NULL,
        .events = settings->events,
        .troubles = settings->troubles,
    };
    shipping->shipper = shipper_create(&shipper, err);
    return shipping->shipper != NULL;
}

bool shipping_init(struct shipping *shipping, const struct shipping_settings *settings,
                   struct error *err) {
    const struct config *config = settings->config;
    struct memory_shares shares =
        memory_shares_of(config->queue_bytes, config->record_bytes, is_compressed(config));
    memset(shipping, 0, sizeof *shipping);
    shipping->queue = batch_queue_create(shares.queue_bytes, err);
    if (shipping->queue == NULL || !init_enricher(shipping, settings, err) ||
        !init_cloudwatch(shipping, settings, err) || !init_kinesis(shipping, settings, err)) {
        return false;
    }
    open_spool(shipping, config);
    return init_compressor(shipping, config, err) && init_shipper(shipping, settings, &shares, err);
}

static void renew_environment(struct shipping *shipping, const char *environment_id) {
    enricher_renew(&shipping->enricher, environment_id);
    cloudwatch_events_renew(&shipping->cloudwatch, environment_id);
    shipping->origin.started_ms = clock_wall_ms(shipping->client.clock);
    if (shipping->envelope.len > 0) {
        buf_clear(&shipping->envelope);
        cloudwatch_envelope_append(&shipping->envelope, &shipping->origin);
    }
}

/* A TLS connection of before the snapshot would go on in every environment with the same keys. */
void shipping_restored(struct shipping *shipping) {
    char environment_id[ENVIRONMENT_ID_BYTES];
    struct error err = {0};
    if (!make_environment_id(environment_id, &err) || !crypto_reseed(&err)) {
        log_error("this environment has no id of its own: %s", err.message);
    } else {
        renew_environment(shipping, environment_id);
    }
    shipping->client.single_use = false;
    shipping->client.clock_offset_ms = 0;
    shipper_interrupt(shipping->shipper);
    credentials_chain_interrupt(&shipping->credentials);
}

void shipping_done(struct shipping *shipping) {
    shipper_destroy(shipping->shipper);
    gzip_compressor_done(&shipping->compressor);
    spool_close(shipping->spool);
    shipping->spool = NULL;
    kinesis_destroy(shipping->kinesis);
    credentials_chain_done(&shipping->credentials);
    cloudwatch_events_done(&shipping->cloudwatch);
    buf_done(&shipping->envelope);
    enricher_done(&shipping->enricher);
    batch_queue_destroy(shipping->queue);
    shipping->shipper = NULL;
    shipping->kinesis = NULL;
    shipping->queue = NULL;
}

static void append_tally(struct buf *out, const char *name, struct tally tally) {
    buf_append_format(out, "\"%sEvents\":%" PRIu64 ",\"%sBytes\":%" PRIu64 ",", name, tally.events,
                      name, tally.bytes);
}

static void append_causes(struct buf *out, const struct ledger *ledger) {
    buf_append(out, SPAN("\"droppedBy\":{"));
    const char *separator = "";
    for (enum drop_cause cause = 0; cause < DROP_CAUSES; cause++) {
        if (ledger->dropped[cause].events > 0) {
            buf_append_format(out, "%s\"%s\":%" PRIu64, separator, drop_cause_name(cause),
                              ledger->dropped[cause].events);
            separator = ",";
        }
    }
    buf_append_char(out, '}');
}

void shipping_log_totals(const struct shipping *shipping, int64_t held_ms) {
    const struct ledger *ledger = shipper_ledger(shipping->shipper);
    CLEANUP(buf_done) struct buf fields = buf_with_ceiling(LOG_LINE_BYTES);
    append_tally(&fields, "received", ledger->received);
    append_tally(&fields, "delivered", ledger->delivered);
    append_tally(&fields, "pending", ledger_pending(ledger));
    append_tally(&fields, "dropped", ledger_dropped(ledger));
    append_tally(&fields, "spooled", ledger->spooled);
    append_tally(&fields, "replayed", ledger->replayed);
    append_tally(&fields, "platformDropped", ledger->platform_dropped);
    append_causes(&fields, ledger);
    buf_append_format(&fields,
                      ",\"heldMs\":%" PRId64 ",\"unparsedEvents\":%" PRIu64 ",\"requests\":%" PRIu64
                      ",\"records\":%" PRIu64 ",\"recordBytes\":%" PRIu64
                      ",\"payloadUnits\":%" PRIu64 ",\"retriedRecords\":%" PRIu64
                      ",\"setAsideFiles\":%" PRIu64,
                      held_ms, ledger->unparsed, ledger->requests, ledger->records,
                      ledger->record_bytes, ledger->payload_units, ledger->retried_records,
                      shipping->spool == NULL ? 0 : spool_set_aside(shipping->spool));
    const char *text = buf_text(&fields);
    struct tally dropped = ledger_dropped(ledger);
    log_fields(dropped.events == 0 ? LOG_INFO : LOG_WARN, text == NULL ? "" : text,
               "shut down: %" PRIu64 " events received, %" PRIu64 " delivered, %" PRIu64
               " kept on disk, %" PRIu64 " dropped",
               ledger->received.events, ledger->delivered.events, ledger->spooled.events,
               dropped.events);
}

// SPDX-License-Identifier: MIT
/* What the size of records and their compression cost: prints the tables of docs/formats.md.
 *
 * Packs made-up logs, lines of a web service that are different each time, as the extension does,
 * and counts. The CPU time is that of making lines, packing, compressing, base64 and SHA-256. */
#include "app/shipping.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "destinations/kinesis.h"
#include "pipeline/cloudwatch_envelope.h"
#include "pipeline/cloudwatch_events.h"
#include "pipeline/event_splitter.h"
#include "pipeline/record_packer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LOGS_BYTES = 20 * 1000 * 1000,
    QUEUE_BYTES = 8 * 1024 * 1024, /* the default of EXTENSION_LOG_QUEUE_BYTES */
    UNIT_BYTES = 25000,
};

struct costs {
    uint64_t event_bytes, record_bytes, units, records, requests;
    double cpu_ms;
};

static void require(bool done) {
    if (!done) {
        (void)fputs("something failed\n", stderr);
        exit(1);
    }
}

/* --- the logs --- */

static uint64_t seed = 88172645463325252;

static uint64_t any(uint64_t below) { /* xorshift: the same numbers in each run */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static const char *one_of(const char *const *words, size_t count) { return words[any(count)]; }

static void append_uuid(struct buf *out) {
    uint64_t high = any(UINT64_MAX);
    uint64_t low = any(UINT64_MAX);
    buf_append_format(out, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(high >> 32),
                      (unsigned)(high >> 16) & 0xffff, (unsigned)high & 0xffff,
                      (unsigned)(low >> 48), (unsigned long long)low & 0xffffffffffff);
}

static void append_short_line(struct buf *out) {
    static const char *const verbs[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
    static const char *const things[] = {"orders", "customers", "items", "prices", "carts"};
    buf_append_format(out, "INFO %s /%s/%llu 200 in %llu ms, ", one_of(verbs, 6), one_of(things, 5),
                      (unsigned long long)any(1000000), (unsigned long long)any(300));
    append_uuid(out);
    buf_append_format(out, " cache=%s", any(3) == 0 ? "miss" : "hit");
}

static void append_item(struct buf *out) {
    static const char *const names[] = {"lamp", "chair", "table", "shelf", "carpet", "mirror"};
    static const char *const colours[] = {"red", "green", "oak", "white", "black", "walnut"};
    buf_append_format(out, ",{\\\"sku\\\":\\\"%c%06llu\\\",\\\"name\\\":\\\"%s %s\\\",",
                      (char)('A' + any(26)), (unsigned long long)any(1000000), one_of(colours, 6),
                      one_of(names, 6));
    buf_append_format(out, "\\\"count\\\":%llu,\\\"price\\\":%llu.%02llu,\\\"id\\\":\\\"",
                      (unsigned long long)any(9), (unsigned long long)any(500),
                      (unsigned long long)any(100));
    append_uuid(out);
    buf_append(out, SPAN("\\\"}"));
}

static void append_long_line(struct buf *out) {
    size_t start = out->len;
    buf_append(out, SPAN("{\\\"level\\\":\\\"info\\\",\\\"message\\\":\\\"order received\\\","
                         "\\\"orderId\\\":\\\""));
    append_uuid(out);
    buf_append(out, SPAN("\\\",\\\"items\\\":[0"));
    while (out->len - start < 900) {
        append_item(out);
    }
    buf_append(out, SPAN("]}"));
}

static struct buf make_logs(void (*append_line)(struct buf *)) {
    struct buf logs = buf_with_ceiling(SIZE_MAX);
    char separator = '[';
    for (unsigned ms = 0; logs.len < LOGS_BYTES; ms++) {
        buf_append_char(&logs, separator);
        buf_append_format(&logs, "{\"time\":\"2026-03-14T15:%02u:%02u.%03uZ\",", ms / 60000 % 60,
                          ms / 1000 % 60, ms % 1000);
        buf_append(&logs, SPAN("\"type\":\"function\",\"record\":\""));
        append_line(&logs);
        buf_append(&logs, SPAN("\\n\"}"));
        separator = ',';
    }
    buf_append_char(&logs, ']');
    require(!buf_failed(&logs));
    return logs;
}

/* --- packing --- */

/* What records are made of. Level 0: they are not compressed. */
struct packing {
    const struct format *format;
    size_t record_bytes;
    int level;
};

static struct record_packer packer;
static struct record_group group;
static struct buf request;
static struct enricher enricher;
static struct cloudwatch_events log_events;
static struct buf envelope;
static uint64_t events;

static void begin_cloudwatch(const struct enricher_settings *settings) {
    const struct cloudwatch_origin origin = {
        .account_id = settings->account_id,
        .function_name = settings->function_name,
        .function_version = settings->function_version,
        .environment_id = span_of_text(settings->environment_id),
    };
    cloudwatch_events_init(&log_events, settings->environment_id, true, 0);
    envelope = buf_with_ceiling(SIZE_MAX);
    cloudwatch_envelope_append(&envelope, &origin);
    require(!buf_failed(&envelope));
}

static void begin(struct packing packing, struct gzip_compressor *compressor) {
    const struct enricher_settings origin = {
        .enabled = packing.format != &format_cloudwatch,
        .function_name = SPAN("orders"),
        .function_version = SPAN("$LATEST"),
        .account_id = SPAN("123456789012"),
        .region = SPAN("eu-west-1"),
        .environment_id = "5f3c9a7e12d4",
    };
    begin_cloudwatch(&origin);
    const struct record_packer_settings settings = {
        .format = packing.format,
        .envelope = buf_span(&envelope),
        .compressor = compressor,
        .record_bytes = packing.record_bytes,
        .group_bytes =
            memory_shares_of(QUEUE_BYTES, packing.record_bytes, compressor != NULL).group_bytes,
        .limits = {.max_records = 500, .max_record_bytes = KINESIS_RECORD_BYTES_MAX},
    };
    require(enricher_init(&enricher, &origin, NULL));
    record_packer_init(&packer, &settings);
    group = record_group_empty(SIZE_MAX);
    request = buf_with_ceiling(SIZE_MAX);
    events = 0;
    record_packer_begin(&packer, &group, packer.settings.group_bytes);
}

static void end(void) {
    enricher_done(&enricher);
    cloudwatch_events_done(&log_events);
    buf_done(&envelope);
    record_packer_done(&packer);
    record_group_done(&group);
    buf_done(&request);
}

static void send_group(struct costs *costs) {
    uint8_t hash[SHA256_BYTES];
    record_packer_close(&packer);
    buf_clear(&request);
    for (size_t i = 0; i < group.count; i++) {
        struct span data = record_group_data(&group, i);
        size_t bytes = data.len + record_group_key(&group, i).len;
        base64_append(&request, data);
        costs->record_bytes += bytes;
        costs->units += (bytes + UNIT_BYTES - 1) / UNIT_BYTES;
    }
    require(!buf_failed(&request) && crypto_sha256(buf_span(&request), hash, NULL));
    costs->records += group.count;
    costs->requests++;
    record_group_clear(&group);
    record_packer_begin(&packer, &group, packer.settings.group_bytes);
}

static struct line line_of(const struct event *event, const struct format *format) {
    struct line line;
    struct event worded;
    require(enricher_line(&enricher, event, &line, NULL));
    if (format == &format_cloudwatch) {
        require(cloudwatch_events_make(&log_events, event, ++events, &worded, NULL));
        line.head = worded.text;
    }
    return line;
}

static void pack(const struct event *event, const struct format *format, struct costs *costs) {
    struct line line = line_of(event, format);
    enum pack_outcome outcome = record_packer_add(&packer, &line, 1, event->text.len);
    if (outcome == PACK_GROUP_FULL) {
        send_group(costs);
        outcome = record_packer_add(&packer, &line, 1, event->text.len);
    }
    require(outcome == PACK_ADDED);
    costs->event_bytes += event->text.len;
}

static double cpu_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct costs measure(struct span logs, struct packing packing) {
    struct costs costs = {0};
    struct gzip_compressor compressor = {0};
    struct event_splitter splitter;
    struct event event;
    require(packing.level == 0 || gzip_compressor_init(&compressor, packing.level, NULL));
    begin(packing, packing.level == 0 ? NULL : &compressor);
    double started_ms = cpu_ms();
    event_splitter_init(&splitter, logs);
    while (event_splitter_next(&splitter, &event) == SPLITTER_EVENT) {
        pack(&event, packing.format, &costs);
    }
    send_group(&costs);
    costs.cpu_ms = cpu_ms() - started_ms;
    end();
    gzip_compressor_done(&compressor);
    return costs;
}

/* --- tables --- */

static void print_row(const char *name, struct span logs, struct packing packing) {
    struct costs costs = measure(logs, packing);
    double megabytes = (double)costs.event_bytes / 1e6;
    (void)printf("| %s | %s | %zu | %d | %.3f | %.2f | %.2f | %.2f | %.2f |\n", name,
                 packing.format->name, packing.record_bytes, packing.level,
                 (double)costs.record_bytes / (double)costs.event_bytes,
                 (double)costs.units / megabytes, (double)costs.records / megabytes,
                 (double)costs.requests / megabytes, costs.cpu_ms / megabytes);
    (void)fflush(stdout);
}

static void print_sizes(const char *name, struct span logs) {
    static const size_t plain[] = {5000, 10000, 25000, 50000, 100000, 250000, 1000000};
    static const size_t compressed[] = {25000, 50000, 100000, 250000, 500000, 1000000};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        print_row(name, logs, (struct packing){&format_ndjson, plain[i], 0});
    }
    for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++) {
        print_row(name, logs, (struct packing){&format_ndjson, compressed[i], 1});
    }
    for (int level = 2; level <= 9; level++) {
        print_row(name, logs, (struct packing){&format_ndjson, 250000, level});
    }
}

static void print_formats(const char *name, struct span logs) {
    static const struct packing formats[] = {
        {&format_event, 25000, 0},   {&format_ndjson, 25000, 0},      {&format_kpl, 25000, 0},
        {&format_ndjson, 250000, 1}, {&format_cloudwatch, 250000, 1},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        print_row(name, logs, formats[i]);
    }
}

int main(void) {
    require(crypto_init(NULL));
    struct buf short_lines = make_logs(append_short_line);
    struct buf long_lines = make_logs(append_long_line);
    (void)puts("| Lines | Format | Record bytes | Level | Written/read | Units per MB | "
               "Records per MB | Requests per MB | CPU ms per MB |\n"
               "|---|---|---|---|---|---|---|---|---|");
    print_sizes("100 B", buf_span(&short_lines));
    print_sizes("1 KB", buf_span(&long_lines));
    print_formats("100 B", buf_span(&short_lines));
    print_formats("1 KB", buf_span(&long_lines));
    buf_done(&short_lines);
    buf_done(&long_lines);
    return 0;
}

// SPDX-License-Identifier: MIT
/* What the size of records and their compression cost: prints the tables of docs/formats.md.
 *
 * Packs made-up logs, lines of a web service that are different each time, as the extension does,
 * and counts. The CPU time is that of making lines, packing, compressing, base64 and SHA-256. */
#include "base/base64.h"
#include "base/crypto.h"
#include "destinations/kinesis.h"
#include "pipeline/event_splitter.h"
#include "pipeline/record_packer.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    LOGS_BYTES = 20 * 1000 * 1000,
    GROUP_BYTES = 256 * 1024,
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

static struct record_packer packer;
static struct record_group group;
static struct buf request;
static struct enricher enricher;

static void begin(size_t record_bytes, struct gzip_compressor *compressor) {
    const struct enricher_settings origin = {
        .enabled = true,
        .function_name = SPAN("orders"),
        .function_version = SPAN("$LATEST"),
        .account_id = SPAN("123456789012"),
        .region = SPAN("eu-west-1"),
        .environment_id = "5f3c9a7e12d4",
    };
    const struct record_packer_settings settings = {
        .format = &format_ndjson,
        .compressor = compressor,
        .record_bytes = record_bytes,
        .group_bytes = GROUP_BYTES + record_bytes,
        .limits = {.max_records = 500, .max_record_bytes = KINESIS_RECORD_BYTES_MAX},
    };
    require(enricher_init(&enricher, &origin, NULL));
    record_packer_init(&packer, &settings);
    group = record_group_empty(SIZE_MAX);
    request = buf_with_ceiling(SIZE_MAX);
    record_packer_begin(&packer, &group);
}

static void end(void) {
    enricher_done(&enricher);
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
    record_packer_begin(&packer, &group);
}

static void pack(const struct event *event, struct costs *costs) {
    struct line line;
    require(enricher_line(&enricher, event, &line, NULL));
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

static struct costs measure(struct span logs, size_t record_bytes, int level) {
    struct costs costs = {0};
    struct gzip_compressor compressor = {0};
    struct event_splitter splitter;
    struct event event;
    require(level == 0 || gzip_compressor_init(&compressor, level, NULL));
    begin(record_bytes, level == 0 ? NULL : &compressor);
    double started_ms = cpu_ms();
    event_splitter_init(&splitter, logs);
    while (event_splitter_next(&splitter, &event) == SPLITTER_EVENT) {
        pack(&event, &costs);
    }
    send_group(&costs);
    costs.cpu_ms = cpu_ms() - started_ms;
    end();
    gzip_compressor_done(&compressor);
    return costs;
}

/* --- tables --- */

static void print_row(const char *name, struct span logs, size_t record_bytes, int level) {
    struct costs costs = measure(logs, record_bytes, level);
    double megabytes = (double)costs.event_bytes / 1e6;
    (void)printf("| %s | %zu | %d | %.3f | %.2f | %.2f | %.2f | %.2f |\n", name, record_bytes,
                 level, (double)costs.record_bytes / (double)costs.event_bytes,
                 (double)costs.units / megabytes, (double)costs.records / megabytes,
                 (double)costs.requests / megabytes, costs.cpu_ms / megabytes);
    (void)fflush(stdout);
}

static void print_tables(const char *name, struct span logs) {
    static const size_t plain[] = {5000, 10000, 25000, 50000, 100000, 250000, 1000000};
    static const size_t compressed[] = {25000, 50000, 100000, 250000, 500000, 1000000};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        print_row(name, logs, plain[i], 0);
    }
    for (size_t i = 0; i < sizeof compressed / sizeof *compressed; i++) {
        print_row(name, logs, compressed[i], 1);
    }
    for (int level = 2; level <= 9; level++) {
        print_row(name, logs, 250000, level);
    }
}

int main(void) {
    require(crypto_init(NULL));
    struct buf short_lines = make_logs(append_short_line);
    struct buf long_lines = make_logs(append_long_line);
    (void)puts("| Lines | Record bytes | Level | Written/read | Units per MB | Records per MB | "
               "Requests per MB | CPU ms per MB |\n|---|---|---|---|---|---|---|---|");
    print_tables("100 B", buf_span(&short_lines));
    print_tables("1 KB", buf_span(&long_lines));
    buf_done(&short_lines);
    buf_done(&long_lines);
    return 0;
}

// SPDX-License-Identifier: MIT
#include "fake_destination.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RECORDS_MAX = 1000 };

static uint64_t checksum_bytes(uint64_t sum, struct span bytes) {
    for (size_t i = 0; i < bytes.len; i++) {
        sum = (sum ^ (unsigned char)bytes.ptr[i]) * 1099511628211ULL;
    }
    return sum;
}

static uint64_t checksum(const struct record_group *group, size_t count) {
    uint64_t sum = 14695981039346656037ULL;
    for (size_t i = 0; i < count; i++) {
        sum = checksum_bytes(sum, record_group_data(group, i));
        sum = checksum_bytes(sum, record_group_key(group, i));
    }
    return sum;
}

static void check_limits(const struct destination_limits *limits, const struct record_group *group,
                         size_t count) {
    size_t request = 0;
    assert_in_range(count, 1, limits->max_records);
    assert_true(count <= group->count);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = record_group_data(group, i).len + record_group_key(group, i).len;
        assert_true(bytes <= limits->max_record_bytes);
        assert_true(record_group_data(group, i).len > 0);
        assert_in_range(record_group_key(group, i).len, 1, 256);
        request += bytes;
    }
    assert_true(request <= limits->max_request_bytes);
}

static bool send_records(struct destination *self, size_t lane, const struct record_group *group,
                         size_t count, bool fresh_connection, delivery_done_fn done, void *context,
                         struct error *err) {
    struct fake_destination *fake = (struct fake_destination *)self;
    assert_true(lane < DESTINATION_LANES_MAX);
    assert_false(fake->lanes[lane].running);
    check_limits(&self->limits, group, count);
    if (fake->send_fails != ERR_NONE) {
        return error_set(err, fake->send_fails, "no send today");
    }
    fake->sends++;
    fake->lanes[lane] = (struct fake_send){
        .running = true,
        .group = group,
        .count = count,
        .checksum = checksum(group, count),
        .fresh_connection = fresh_connection,
        .done = done,
        .context = context,
    };
    return true;
}

static void cancel(struct destination *self, size_t lane) {
    struct fake_destination *fake = (struct fake_destination *)self;
    fake->cancels += fake->lanes[lane].running;
    fake->lanes[lane].running = false;
}

void fake_destination_init(struct fake_destination *fake, struct destination_limits limits) {
    memset(fake, 0, sizeof *fake);
    fake->destination = (struct destination){
        .name = "fake",
        .limits = limits,
        .send = send_records,
        .cancel = cancel,
    };
}

int fake_destination_running(const struct fake_destination *fake) {
    for (int i = 0; i < DESTINATION_LANES_MAX; i++) {
        if (fake->lanes[i].running) {
            return i;
        }
    }
    return -1;
}

size_t fake_destination_count_running(const struct fake_destination *fake) {
    size_t count = 0;
    for (size_t i = 0; i < DESTINATION_LANES_MAX; i++) {
        count += fake->lanes[i].running;
    }
    return count;
}

/* The number behind the next "e-" in *rest; false when there is none. */
static bool next_number(struct span *rest, unsigned *ret) {
    const char *found = span_find(*rest, SPAN("e-"));
    if (found == NULL) {
        return false;
    }
    char digits[7] = "";
    *rest = span_skip(*rest, (size_t)(found - rest->ptr));
    assert_true(rest->len >= 8);
    memcpy(digits, rest->ptr + 2, 6);
    *ret = (unsigned)strtoul(digits, NULL, 10);
    assert_true(*ret < FAKE_EVENTS_MAX);
    *rest = span_skip(*rest, 8);
    return true;
}

static unsigned count_loss_reports(struct span data) {
    const struct span type = SPAN("\"extension.logsDropped\"");
    unsigned count = 0;
    for (const char *found; (found = span_find(data, type)) != NULL; count++) {
        data = span_skip(data, (size_t)(found - data.ptr) + type.len);
    }
    return count;
}

static void note_fate(struct fake_destination *fake, struct span data, enum record_fate fate) {
    unsigned number = 0;
    fake->loss_reports += fate == RECORD_DELIVERED ? count_loss_reports(data) : 0;
    while (next_number(&data, &number)) {
        if (fate == RECORD_DELIVERED) {
            assert_true(fake->accepted[number] == 0 || fake->may_repeat);
            fake->repeated_events += fake->accepted[number] > 0;
            fake->accepted[number] = 1;
            fake->accepted_events++;
        } else if (fate == RECORD_NEVER) {
            fake->refused[number]++;
            fake->refused_events++;
        }
    }
}

void fake_destination_answer(struct fake_destination *fake, size_t lane,
                             const enum record_fate *fates, enum retry_pace pace,
                             int64_t retry_after_ms) {
    struct fake_send send = fake->lanes[lane];
    struct delivery delivery = {.fates = fates, .pace = pace, .retry_after_ms = retry_after_ms};
    assert_true(send.running);
    assert_true(checksum(send.group, send.count) == send.checksum);
    for (size_t i = 0; i < send.count; i++) {
        note_fate(fake, record_group_data(send.group, i), fates[i]);
        if (fates[i] != RECORD_DELIVERED) {
            (void)snprintf(delivery.reason, sizeof delivery.reason, "not all were taken");
        }
    }
    fake->lanes[lane].running = false;
    send.done(send.context, &delivery);
}

void fake_destination_answer_all(struct fake_destination *fake, size_t lane, enum record_fate fate,
                                 enum retry_pace pace) {
    enum record_fate fates[RECORDS_MAX];
    for (size_t i = 0; i < RECORDS_MAX; i++) {
        fates[i] = fate;
    }
    fake_destination_answer(fake, lane, fates, pace, 0);
}

void fake_destination_accept_all(struct fake_destination *fake) {
    for (size_t i = 0; i < DESTINATION_LANES_MAX; i++) {
        if (fake->lanes[i].running) {
            fake_destination_answer_all(fake, i, RECORD_DELIVERED, PACE_TRANSIENT);
        }
    }
}

bool fake_destination_record_has(const struct fake_destination *fake, size_t lane, size_t index,
                                 unsigned event) {
    char text[16];
    (void)snprintf(text, sizeof text, "e-%06u", event);
    return span_find(record_group_data(fake->lanes[lane].group, index), span_of_text(text)) != NULL;
}

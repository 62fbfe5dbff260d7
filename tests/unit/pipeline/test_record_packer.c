// SPDX-License-Identifier: MIT
#include "pipeline/record_packer.h"

#include "../gunzip.h"
#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { LIMIT = 5000 };

static const struct format *const formats[] = {&format_ndjson, &format_event, &format_batch,
                                               &format_kpl};

enum { FORMATS = sizeof formats / sizeof formats[0] };

static char text[2 * LIMIT];

static struct record_packer packer;
static struct gzip_compressor compressor;
static struct record_group group;

static struct record_packer_settings settings(void) {
    return (struct record_packer_settings){
        .format = &format_ndjson,
        .partition_key = PARTITION_KEY_ENVIRONMENT,
        .environment_id = SPAN("0123456789ab"),
        .function_name = SPAN("orders"),
        .record_bytes = 1000,
        .group_bytes = 10000,
        .limits = {.max_records = 500, .max_record_bytes = LIMIT, .max_request_bytes = 20000},
    };
}

static void begin(struct record_packer_settings with) {
    memset(text, 'x', sizeof text);
    record_packer_init(&packer, &with);
    group = record_group_empty(1 << 20);
    record_packer_begin(&packer, &group, packer.settings.group_bytes);
}

static int tear_down(void **state) {
    (void)state;
    record_packer_done(&packer);
    record_group_done(&group);
    gzip_compressor_done(&compressor);
    return 0;
}

static struct line line_of(size_t bytes, const char *request_id) {
    size_t head = bytes / 2;
    return (struct line){
        .head = {text, head},
        .tail = {text + head, bytes - head},
        .request_id = span_of_text(request_id),
    };
}

static enum pack_outcome add(size_t bytes) {
    struct line line = line_of(bytes, NULL);
    return record_packer_add(&packer, &line, 1, bytes);
}

static enum pack_outcome add_of(const char *request_id) {
    struct line line = line_of(10, request_id);
    return record_packer_add(&packer, &line, 1, 10);
}

static size_t bytes_of(size_t index) {
    return record_group_data(&group, index).len + record_group_key(&group, index).len;
}

static bool key_is(size_t index, const char *key) {
    return span_equals(record_group_key(&group, index), span_of_text(key));
}

static void a_record_is_filled_exactly_up_to_its_size_with_its_key(void **state) {
    (void)state;
    begin(settings());
    /* 12 for the key, 1 for each newline */
    assert_int_equal(add(500), PACK_ADDED);
    assert_int_equal(add(1000 - 12 - 501 - 1), PACK_ADDED);
    assert_int_equal(add(500), PACK_ADDED);
    assert_int_equal(add(1000 - 12 - 501 - 1 + 1), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 3);
    assert_int_equal(bytes_of(0), 1000);
    assert_int_equal(group.records[0].events, 2);
    assert_int_equal(group.records[1].events, 1);
    assert_int_equal(record_group_events(&group), 4);
    assert_int_equal(record_group_event_bytes(&group), 500 + 486 + 500 + 487);
}

static void a_line_larger_than_the_size_to_fill_gets_a_record_of_its_own(void **state) {
    (void)state;
    begin(settings());
    assert_int_equal(add(10), PACK_ADDED);
    assert_int_equal(add(3000), PACK_ADDED);
    assert_int_equal(add(10), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 3);
    assert_int_equal(record_group_data(&group, 1).len, 3001);
}

/* --- units that are billed --- */

static struct record_packer_settings stretching(void) {
    struct record_packer_settings with = settings();
    with.stretched_bytes = 10 * with.record_bytes;
    with.group_bytes = 40 * with.record_bytes;
    with.limits.billing_unit_bytes = with.record_bytes;
    with.limits.max_record_bytes = with.stretched_bytes;
    return with;
}

/* Fills the group with lines of this size. */
static void fill_with(size_t line_bytes) {
    while (add(line_bytes) == PACK_ADDED) {
    }
    record_packer_close(&packer);
}

static size_t units(void) {
    size_t units = 0;
    for (size_t i = 0; i < group.count; i++) {
        units += (bytes_of(i) + 999) / 1000;
    }
    return units;
}

static void long_lines_fill_the_units_of_a_record(void **state) {
    (void)state;
    for (size_t bytes = 10; bytes < 475; bytes++) {
        /* Short ones ask for no room, so the last record of a group may be left as it is. */
        size_t percent = bytes > 200 ? 105 : 110;
        begin(stretching());
        fill_with(bytes);
        if (units() * 1000 * 100 > record_group_bytes(&group) * percent) {
            print_error("lines of %zu: %zu units for %zu bytes\n", bytes, units(),
                        record_group_bytes(&group));
            fail();
        }
        for (size_t i = 0; i < group.count; i++) {
            assert_in_range(bytes_of(i), 1, 10000);
        }
        assert_in_range(record_group_bytes(&group), 30000, 40000);
        tear_down(NULL);
    }
    begin(settings());
}

static void a_record_goes_on_only_until_it_is_well_filled(void **state) {
    (void)state;
    begin(stretching());
    fill_with(
        410); /* 411 with its newline: seven and the key are 2,889; two are 834, and four 1,656 */
    assert_int_equal(group.records[0].events, 7);
    tear_down(NULL);
    begin(stretching());
    fill_with(320); /* three and the key are 975 */
    assert_int_equal(group.records[0].events, 3);
}

static void a_record_that_goes_on_stays_within_the_group(void **state) {
    (void)state;
    begin(stretching());
    assert_int_equal(add(100), PACK_ADDED); /* a short one asks for no room to go on */
    fill_with(610);
    assert_in_range(record_group_bytes(&group), 30000, 40000);
}

static void a_size_that_was_asked_for_is_kept(void **state) {
    (void)state;
    struct record_packer_settings with = stretching();
    with.stretched_bytes = 0;
    begin(with);
    fill_with(410);
    assert_int_equal(group.records[0].events, 2);
}

static void a_line_that_fits_no_record_alone_is_too_large(void **state) {
    (void)state;
    for (size_t format = 0; format < FORMATS; format++) {
        for (enum partition_key key = PARTITION_KEY_RANDOM; key <= PARTITION_KEY_REQUEST; key++) {
            struct record_packer_settings with = settings();
            with.format = formats[format];
            with.partition_key = key;
            begin(with);
            size_t most = record_packer_line_max(&packer);
            assert_in_range(most, LIMIT - 200, LIMIT - 1);
            assert_int_equal(add(most + 1), PACK_TOO_LARGE);
            assert_int_equal(group.count, 0);
            assert_int_equal(add(most), PACK_ADDED);
            assert_int_equal(add(most - 1), PACK_ADDED);
            assert_int_equal(add(most + 1), PACK_TOO_LARGE);
            record_packer_close(&packer);
            assert_int_equal(group.count, 2);
            assert_true(bytes_of(0) <= LIMIT);
            tear_down(NULL);
        }
    }
    begin(settings());
}

static void no_line_fits_where_the_key_alone_fills_a_record(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.limits.max_record_bytes = 20;
    begin(with);
    assert_int_equal(record_packer_line_max(&packer), 0);
    assert_int_equal(add(1), PACK_TOO_LARGE);
}

static void a_group_never_exceeds_its_size_nor_wastes_it(void **state) {
    (void)state;
    begin(settings());
    while (add(90) == PACK_ADDED) {
    }
    record_packer_close(&packer);
    assert_in_range(record_group_bytes(&group), 9000 - 100, 10000);
    for (size_t i = 0; i < group.count; i++) {
        assert_in_range(bytes_of(i), 1000 - 91, 1000);
    }
}

static void the_line_that_found_the_group_full_goes_into_the_next(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.group_bytes = 1500;
    begin(with);
    assert_int_equal(add(900), PACK_ADDED);
    assert_int_equal(add(901), PACK_GROUP_FULL);
    record_packer_close(&packer);
    assert_int_equal(group.count, 1);
    assert_int_equal(group.records[0].events, 1);
    record_group_clear(&group);
    record_packer_begin(&packer, &group, packer.settings.group_bytes);
    assert_int_equal(add(901), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(record_group_data(&group, 0).len, 902);
}

static void one_record_may_exceed_the_size_of_a_group(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.group_bytes = 2000;
    begin(with);
    assert_int_equal(add(4000), PACK_ADDED);
    assert_int_equal(add(10), PACK_GROUP_FULL);
}

static void a_group_has_at_most_as_many_records_as_a_request(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.format = &format_event;
    with.group_bytes = 1 << 20;
    begin(with);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(add(20), PACK_ADDED);
    }
    assert_int_equal(add(20), PACK_GROUP_FULL);
    record_packer_close(&packer);
    assert_int_equal(group.count, 500);
    assert_int_equal(bytes_of(499), 33);
}

static void the_last_record_of_a_full_group_still_takes_lines(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.limits.max_records = 1;
    begin(with);
    assert_int_equal(add(400), PACK_ADDED);
    assert_int_equal(add(400), PACK_ADDED);
    assert_int_equal(add(400), PACK_GROUP_FULL);
}

static void random_keys_are_new_for_each_record(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.partition_key = PARTITION_KEY_RANDOM;
    with.format = &format_event;
    begin(with);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(add(10), PACK_ADDED);
    }
    record_packer_close(&packer);
    for (size_t i = 0; i < group.count; i++) {
        assert_int_equal(record_group_key(&group, i).len, PARTITION_KEY_RANDOM_DIGITS);
        for (size_t j = 0; j < i; j++) {
            assert_false(span_equals(record_group_key(&group, i), record_group_key(&group, j)));
        }
    }
}

static void other_keys_are_those_of_environment_and_function(void **state) {
    (void)state;
    begin(settings());
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    record_packer_close(&packer);
    assert_true(key_is(0, "0123456789ab"));
    tear_down(NULL);
    struct record_packer_settings with = settings();
    with.partition_key = PARTITION_KEY_FUNCTION;
    begin(with);
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    record_packer_close(&packer);
    assert_true(key_is(0, "orders"));
}

/* The service refuses an empty key. */
static void a_function_without_a_name_is_keyed_by_its_environment(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.partition_key = PARTITION_KEY_FUNCTION;
    with.function_name = span_of(NULL, 0);
    begin(with);
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    record_packer_close(&packer);
    assert_true(key_is(0, "0123456789ab"));
}

static void a_name_as_long_as_a_key_may_be_is_counted(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.partition_key = PARTITION_KEY_FUNCTION;
    with.function_name = span_of(text, 256);
    begin(with);
    assert_int_equal(add(record_packer_line_max(&packer)), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(bytes_of(0), LIMIT);
}

static void requests_never_share_a_record_when_they_are_the_key(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.partition_key = PARTITION_KEY_REQUEST;
    begin(with);
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    assert_int_equal(add_of("r-2"), PACK_ADDED);
    assert_int_equal(add_of(NULL), PACK_ADDED);
    assert_int_equal(add_of("r-1"), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 4);
    assert_true(key_is(0, "r-1") && key_is(1, "r-2") && key_is(2, "0123456789ab"));
    assert_true(key_is(3, "r-1"));
    assert_int_equal(group.records[0].events, 2);
}

static void only_formats_that_keep_deliveries_apart_end_a_record_with_one(void **state) {
    (void)state;
    begin(settings());
    assert_int_equal(add(10), PACK_ADDED);
    record_packer_end_delivery(&packer);
    assert_int_equal(add(10), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 1);
    tear_down(NULL);
    struct record_packer_settings with = settings();
    with.format = &format_batch;
    begin(with);
    record_packer_end_delivery(&packer);
    assert_int_equal(add(3), PACK_ADDED);
    assert_int_equal(add(3), PACK_ADDED);
    record_packer_end_delivery(&packer);
    record_packer_end_delivery(&packer);
    assert_int_equal(add(3), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 2);
    assert_true(span_equals(record_group_data(&group, 0), SPAN("[xxx,xxx]\n")));
    assert_true(span_equals(record_group_data(&group, 1), SPAN("[xxx]\n")));
}

static void a_part_of_an_event_may_stand_for_no_event(void **state) {
    (void)state;
    begin(settings());
    struct line line = line_of(10, NULL);
    assert_int_equal(record_packer_add(&packer, &line, 0, 0), PACK_ADDED);
    assert_int_equal(record_packer_add(&packer, &line, 1, 700), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.records[0].events, 1);
    assert_int_equal(group.records[0].event_bytes, 700);
}

static void closing_without_a_record_makes_none(void **state) {
    (void)state;
    begin(settings());
    record_packer_close(&packer);
    record_packer_close(&packer);
    assert_int_equal(group.count, 0);
}

/* Whatever room there is: what was packed stays whole, and nothing else is in the group. */
static void without_memory_nothing_is_changed(void **state) {
    (void)state;
    for (size_t format = 0; format < FORMATS; format++) {
        for (size_t room = 0; room < 120; room++) {
            struct record_packer_settings with = settings();
            with.format = formats[format];
            begin(with);
            group.data.ceiling = room;
            uint32_t packed = 0;
            enum pack_outcome outcome;
            while ((outcome = add(20)) == PACK_ADDED) {
                packed++;
            }
            assert_int_equal(outcome, PACK_NO_MEMORY);
            assert_int_equal(group.count == 0, packed == 0);
            record_packer_close(&packer);
            assert_false(buf_failed(&group.data));
            assert_int_equal(record_group_events(&group), packed);
            for (size_t i = 0; i < group.count; i++) {
                assert_true(group.records[i].events > 0);
                assert_true(with.format == &format_kpl ||
                            span_ends_with(record_group_data(&group, i), SPAN("\n")));
            }
            tear_down(NULL);
        }
    }
    begin(settings());
}

/* --- records that cannot be closed --- */

static bool closes;

static bool close_or_not(struct buf *out, size_t start) {
    (void)start;
    buf_append(out, SPAN("closed"));
    return closes;
}

static const struct format fragile = {
    .append = line_append_ended,
    .line_framing_bytes = 1,
    .closing_bytes = 6,
    .close = close_or_not,
};

static void a_record_that_cannot_be_closed_is_taken_out_and_told(void **state) {
    (void)state;
    struct record_packer_settings with = settings();
    with.format = &fragile;
    begin(with);
    closes = true;
    assert_int_equal(add(900), PACK_ADDED);
    assert_int_equal(add(400), PACK_ADDED);
    closes = false;
    assert_int_equal(add(401), PACK_ADDED);
    assert_int_equal(add(800), PACK_ADDED);
    closes = true;
    record_packer_close(&packer);
    assert_int_equal(group.count, 2);
    assert_int_equal(record_group_data(&group, 0).len, 907);
    assert_int_equal(record_group_data(&group, 1).len, 807);
    assert_true(key_is(0, "0123456789ab") && key_is(1, "0123456789ab"));
    assert_int_equal(group.keys.len, 24);
    struct tally lost = record_packer_take_lost(&packer);
    assert_int_equal(lost.events, 2);
    assert_int_equal(lost.bytes, 801);
    assert_int_equal(record_packer_take_lost(&packer).events, 0);
}

/* --- compressed --- */

static struct record_packer_settings compressing(const struct format *format) {
    struct record_packer_settings with = settings();
    assert_true(gzip_compressor_init(&compressor, 1, NULL));
    with.format = format;
    with.compressor = &compressor;
    return with;
}

static void assert_record(size_t index, struct span expected) {
    struct buf content = gunzip(record_group_data(&group, index));
    assert_true(span_equals(buf_span(&content), expected));
    buf_done(&content);
}

static void a_compressed_record_is_the_same_record_in_gzip(void **state) {
    (void)state;
    begin(compressing(&format_batch));
    assert_int_equal(add(3), PACK_ADDED);
    assert_int_equal(add(3), PACK_ADDED);
    record_packer_end_delivery(&packer);
    assert_int_equal(add(4), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 2);
    assert_record(0, SPAN("[xxx,xxx]\n"));
    assert_record(1, SPAN("[xxxx]\n"));
    assert_int_equal(group.records[0].events, 2);
    assert_int_equal(group.records[1].event_bytes, 4);
}

static void a_record_is_filled_by_its_bytes_before_compression(void **state) {
    (void)state;
    begin(compressing(&format_ndjson));
    assert_int_equal(add(500), PACK_ADDED);
    assert_int_equal(add(1000 - 12 - 501 - 1), PACK_ADDED);
    assert_int_equal(add(10), PACK_ADDED);
    record_packer_close(&packer);
    assert_int_equal(group.count, 2);
    assert_int_equal(group.records[0].events, 2);
    assert_true(bytes_of(0) < 100);
}

static void a_group_takes_as_many_records_as_its_size_holds_once_they_are_compressed(void **state) {
    (void)state;
    struct record_packer_settings with = compressing(&format_ndjson);
    with.group_bytes = 3000;
    begin(with);
    while (add(90) == PACK_ADDED) {
    }
    record_packer_close(&packer);
    assert_in_range(record_group_bytes(&group), 3000 - 1000 - packer.expansion - 100, 3000);
    assert_true(group.count > 10);
}

/* Fills groups with lines of noise, which compression makes longer. */
static void noise_in_lines_of(size_t bytes, size_t record_bytes) {
    struct record_packer_settings with = compressing(&format_ndjson);
    with.record_bytes = record_bytes;
    begin(with);
    size_t line = bytes == 0 ? record_packer_line_max(&packer) : bytes;
    do {
        assert_true(crypto_random(text, line, NULL));
    } while (add(line) == PACK_ADDED);
    record_packer_close(&packer);
    for (size_t i = 0; i < group.count; i++) {
        assert_true(bytes_of(i) <= LIMIT);
    }
    size_t aim = record_bytes < LIMIT ? record_bytes : LIMIT;
    assert_true(bytes_of(0) + line > aim - aim / 10);
    tear_down(NULL);
}

static void a_record_of_noise_is_within_the_limit_too(void **state) {
    (void)state;
    static const size_t lines[] = {0, 100, 2000};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        noise_in_lines_of(lines[i], 1000);
        noise_in_lines_of(lines[i], LIMIT);
        noise_in_lines_of(lines[i], LIMIT * 10);
    }
    begin(settings());
}

static void a_line_that_might_not_fit_once_compressed_is_too_large(void **state) {
    (void)state;
    begin(compressing(&format_ndjson));
    size_t most = record_packer_line_max(&packer);
    assert_in_range(most, LIMIT - 200, LIMIT - 1);
    assert_int_equal(add(most + 1), PACK_TOO_LARGE);
    assert_int_equal(add(most), PACK_ADDED);
}

static void without_memory_for_compression_what_was_packed_stays_whole(void **state) {
    (void)state;
    for (size_t room = 0; room < 500; room++) {
        begin(compressing(&format_ndjson));
        packer.compressed.ceiling = room % 2 == 0 ? room : SIZE_MAX;
        group.data.ceiling = room % 2 == 1 ? room : SIZE_MAX;
        uint32_t packed = 0;
        enum pack_outcome outcome;
        while ((outcome = add(20)) == PACK_ADDED) {
            packed++;
        }
        assert_int_equal(outcome, room % 2 == 1 || packed < 40 ? PACK_NO_MEMORY : PACK_GROUP_FULL);
        record_packer_close(&packer);
        assert_int_equal(record_group_events(&group), packed);
        for (size_t i = 0; i < group.count; i++) {
            struct buf content = gunzip(record_group_data(&group, i));
            assert_int_equal(content.len, group.records[i].events * 21);
            buf_done(&content);
        }
        tear_down(NULL);
    }
    begin(settings());
}

static int set_up(void **state) {
    (void)state;
    return crypto_init(NULL) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_filled_exactly_up_to_its_size_with_its_key),
        TEST(a_line_larger_than_the_size_to_fill_gets_a_record_of_its_own),
        TEST(long_lines_fill_the_units_of_a_record),
        TEST(a_record_goes_on_only_until_it_is_well_filled),
        TEST(a_record_that_goes_on_stays_within_the_group),
        TEST(a_size_that_was_asked_for_is_kept),
        TEST(a_line_that_fits_no_record_alone_is_too_large),
        TEST(no_line_fits_where_the_key_alone_fills_a_record),
        TEST(a_group_never_exceeds_its_size_nor_wastes_it),
        TEST(the_line_that_found_the_group_full_goes_into_the_next),
        TEST(one_record_may_exceed_the_size_of_a_group),
        TEST(a_group_has_at_most_as_many_records_as_a_request),
        TEST(the_last_record_of_a_full_group_still_takes_lines),
        TEST(random_keys_are_new_for_each_record),
        TEST(other_keys_are_those_of_environment_and_function),
        TEST(a_function_without_a_name_is_keyed_by_its_environment),
        TEST(a_name_as_long_as_a_key_may_be_is_counted),
        TEST(requests_never_share_a_record_when_they_are_the_key),
        TEST(only_formats_that_keep_deliveries_apart_end_a_record_with_one),
        TEST(a_part_of_an_event_may_stand_for_no_event),
        TEST(closing_without_a_record_makes_none),
        TEST(without_memory_nothing_is_changed),
        TEST(a_record_that_cannot_be_closed_is_taken_out_and_told),
        TEST(a_compressed_record_is_the_same_record_in_gzip),
        TEST(a_record_is_filled_by_its_bytes_before_compression),
        TEST(a_group_takes_as_many_records_as_its_size_holds_once_they_are_compressed),
        TEST(a_record_of_noise_is_within_the_limit_too),
        TEST(a_line_that_might_not_fit_once_compressed_is_too_large),
        TEST(without_memory_for_compression_what_was_packed_stays_whole),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}

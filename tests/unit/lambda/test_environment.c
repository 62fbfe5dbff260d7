// SPDX-License-Identifier: MIT
#include "lambda/environment.h"

#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOOPBACK = 0x7F000001 };

static uint32_t address_in(const char *hosts) {
    char path[] = "/tmp/test_environment_XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, hosts, strlen(hosts)), strlen(hosts));
    (void)close(file);
    uint32_t address = environment_listen_address(path);
    (void)unlink(path);
    return address;
}

static void reads_the_address_of_the_sandbox(void **state) {
    (void)state;
    const struct {
        const char *hosts;
        uint32_t expected;
    } cases[] = {
        {"169.254.79.130 sandbox.localdomain\n", 0xA9FE4F82},
        {"127.0.0.1 localhost\n\n# x\n10.1.2.3\tsandbox\t sandbox.localdomain # y\r\n", 0x0A010203},
        {"  10.1.2.3 a b Sandbox.LocalDomain", 0x0A010203},
        {"fe80::1 sandbox.localdomain\n10.1.2.3 sandbox.localdomain\n", 0x0A010203},
        {"10.1.2.3 sandbox.localdomain\n10.9.9.9 sandbox.localdomain\n", 0x0A010203},
        /* No address, or none that can be listened on. */
        {"", LOOPBACK},
        {"10.1.2.3", LOOPBACK},
        {"#10.1.2.3 sandbox.localdomain\n", LOOPBACK},
        {"10.1.2.3 x # sandbox.localdomain\n", LOOPBACK},
        {"10.1.2.3 xsandbox.localdomain sandbox.localdomain.x sandbox\n", LOOPBACK},
        {"sandbox.localdomain 10.1.2.3\n", LOOPBACK},
        {"10.1.2.300 sandbox.localdomain\n", LOOPBACK},
        {"10.1.2 sandbox.localdomain\n", LOOPBACK},
        {"100000000000000000000000.1.1.1 sandbox.localdomain\n", LOOPBACK},
        {"0.0.0.0 sandbox.localdomain\n", LOOPBACK},
        {"0.1.2.3 sandbox.localdomain\n", LOOPBACK},
        {"224.0.0.1 sandbox.localdomain\n", LOOPBACK},
        {"255.255.255.255 sandbox.localdomain\n", LOOPBACK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(address_in(cases[i].hosts), cases[i].expected);
    }
}

static void listens_on_the_loopback_without_a_hosts_file(void **state) {
    (void)state;
    assert_int_equal(environment_listen_address("/no/such/file"), LOOPBACK);
    assert_int_equal(environment_listen_address("/"), LOOPBACK);
}

static void a_large_hosts_file_is_read_as_far_as_it_is_sane(void **state) {
    (void)state;
    enum { BYTES = 200000 };
    char *hosts = malloc(BYTES + 1);
    assert_non_null(hosts);
    memset(hosts, '\n', BYTES);
    hosts[BYTES] = '\0';
    static const char line[] = "10.1.2.3 sandbox.localdomain";
    memcpy(hosts + 30000, line, sizeof line - 1);
    assert_int_equal(address_in(hosts), 0x0A010203);
    memset(hosts, '\n', BYTES);
    memcpy(hosts + 190000, line, sizeof line - 1);
    assert_int_equal(address_in(hosts), LOOPBACK);
    free(hosts);
}

static void knows_its_name_whatever_a_wrapper_says(void **state) {
    (void)state;
    assert_string_equal(environment_program_name("/somewhere/else"), "test_environment");
    assert_string_equal(environment_program_name(NULL), "test_environment");
}

static void managed_instances_announce_nothing_and_are_never_frozen(void **state) {
    (void)state;
    const struct environment_kind *kind = environment_kind_of(SPAN("lambda-managed-instances"));
    assert_string_equal(kind->lifecycle, "\"SHUTDOWN\"");
    assert_false(kind->is_frozen);
    assert_true(kind->is_concurrent);
    assert_ptr_equal(kind->source, &telemetry_api_2025);
}

static void every_other_kind_is_frozen_between_invocations_one_at_a_time(void **state) {
    (void)state;
    static const char *const types[] = {"on-demand", "provisioned-concurrency", "snap-start",
                                        "something-new", ""};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const struct environment_kind *kind = environment_kind_of(span_of_text(types[i]));
        assert_string_equal(kind->lifecycle, "\"INVOKE\",\"SHUTDOWN\"");
        assert_true(kind->is_frozen);
        assert_false(kind->is_concurrent);
        assert_null(kind->source);
        assert_int_equal(kind->is_restored, strcmp(types[i], "snap-start") == 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_address_of_the_sandbox),
        cmocka_unit_test(listens_on_the_loopback_without_a_hosts_file),
        cmocka_unit_test(a_large_hosts_file_is_read_as_far_as_it_is_sane),
        cmocka_unit_test(managed_instances_announce_nothing_and_are_never_frozen),
        cmocka_unit_test(every_other_kind_is_frozen_between_invocations_one_at_a_time),
        cmocka_unit_test(knows_its_name_whatever_a_wrapper_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

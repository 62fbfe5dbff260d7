// SPDX-License-Identifier: MIT
/* Runs each test of a unit test program again and again, each time with another allocation failing:
 * once the n-th alone, once the n-th and all after it. A test that then fails has seen the error,
 * and that is fine; what ends in a crash, a sanitizer's report, a leak or a hang is a defect.
 *
 * It is linked in place of cmocka's runner. Each run is a process of its own, forked from one that
 * has done nothing yet. TORTURE_RUNS bounds the runs of one test in one of the two ways: of a test
 * that allocates more often, some are left out. */
#include "failing_memory.h"

#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    EXIT_HANG = 97,
    EXIT_LEAK = 98,
    EXIT_SANITIZER = 99,
    SECONDS_MAX = 15, /* the slowest test needs three */
    RUNS_DEFAULT = 100,
    DEFECTS_SHOWN = 3, /* of one test in one way */
};

struct torture {
    CMFixtureFunction group_setup;
    CMFixtureFunction group_teardown;
    struct memory_plan *plan; /* shared with the forked process */
    FILE *output;             /* of the forked process */
};

const char *__asan_default_options(void);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown);

/* cmocka would catch what kills a test, and call it a failed one. */
const char *__asan_default_options(void) {
    return "exitcode=99:leak_check_at_exit=0:handle_segv=2:handle_sigbus=2:handle_abort=2:"
           "handle_sigill=2:handle_sigfpe=2";
}

/* --- in the forked process --- */

/* Before anything is cleaned up under the threads that a failed test leaves behind. The stack of a
 * failed test is still there: what it holds is no leak. */
static void look_for_leaks(int status, void *unused) {
    (void)unused;
    failing_memory_follow(NULL);
    (void)fflush(NULL);
    _exit(__lsan_do_recoverable_leak_check() != 0 ? EXIT_LEAK : status);
}

static void say_where_it_hangs(int signal_number) {
    (void)signal_number;
    __sanitizer_print_stack_trace();
    _exit(EXIT_HANG);
}

static bool call(CMFixtureFunction fixture, void **state) {
    return fixture == NULL || fixture(state) == 0;
}

/* What root mounts in a test goes with the process, also when the test fails before it unmounts. */
static void keep_mounts_to_itself(void) {
    if (unshare(CLONE_NEWNS) == 0) {
        (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    }
}

/* A failed assertion ends the process: outside of its own runner, cmocka calls exit(). */
static void be_tested(const struct torture *torture, const struct CMUnitTest *test) {
    void *state = test->initial_state;
    (void)on_exit(look_for_leaks, NULL);
    (void)dup2(fileno(torture->output), STDOUT_FILENO);
    (void)dup2(fileno(torture->output), STDERR_FILENO);
    keep_mounts_to_itself();
    (void)signal(SIGALRM, say_where_it_hangs);
    (void)alarm(SECONDS_MAX);
    failing_memory_follow(torture->plan);
    bool passed = call(torture->group_setup, &state) && call(test->setup_func, &state);
    if (passed) {
        test->test_func(&state);
        passed = call(test->teardown_func, &state) && call(torture->group_teardown, &state);
    }
    exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* --- in the one that forks --- */

/* Returns what waitpid() says. */
static int run(const struct torture *torture, const struct CMUnitTest *test,
               struct memory_plan plan) {
    *torture->plan = plan;
    rewind(torture->output);
    if (ftruncate(fileno(torture->output), 0) != 0 || fflush(NULL) != 0) {
        abort();
    }
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        be_tested(torture, test);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        abort();
    }
    return status;
}

/* The first line of the report's stack that is of this project or of a library's source. */
static bool crashed_in_a_test(FILE *output) {
    char line[1024];
    bool reported = false;
    rewind(output);
    while (fgets(line, sizeof line, output) != NULL) {
        reported = reported ||
                   strstr(line, "AddressSanitizer: SEGV on unknown address 0x000000000") ||
                   strstr(line, "AddressSanitizer: ABRT");
        if (reported && (strstr(line, " src/") != NULL || strstr(line, " packages/") != NULL)) {
            return false;
        }
        if (reported && strstr(line, " tests/unit/") != NULL) {
            return true;
        }
    }
    return false;
}

/* A test may give up, and may trip over the NULL that it was given instead of asserting that it is
 * none. Whatever else it does with wrong memory, it got from src/. */
static const char *defect_of(const struct torture *torture, int status) {
    if (WIFSIGNALED(status)) {
        return "is killed by a signal";
    }
    switch (WEXITSTATUS(status)) {
    case EXIT_HANG:
        return "hangs";
    case EXIT_LEAK:
        return "leaks";
    case EXIT_SANITIZER:
        return crashed_in_a_test(torture->output) ? NULL : "crashes";
    default:
        return NULL;
    }
}

static void show_output(const struct torture *torture) {
    char bytes[4096];
    size_t got = 0;
    rewind(torture->output);
    while ((got = fread(bytes, 1, sizeof bytes, torture->output)) > 0) {
        (void)fwrite(bytes, 1, got, stdout);
    }
}

/* Runs it once more, for the output to say which allocation it was. */
static void show_defect(const struct torture *torture, const struct CMUnitTest *test,
                        struct memory_plan plan, const char *defect) {
    plan.traced = true;
    (void)run(torture, test, plan);
    printf("%s %s when allocation %zu%s fails:\n", test->name, defect, plan.first,
           plan.also_later ? " and every later one" : "");
    show_output(torture);
}

static size_t runs_max(void) {
    const char *text = getenv("TORTURE_RUNS");
    size_t runs = text == NULL ? 0 : strtoul(text, NULL, 10);
    return runs > 0 ? runs : RUNS_DEFAULT;
}

/* The number of the allocation that fails in a run: all of them where the runs suffice, else the
 * first ones, where things are set up, and then ever fewer. */
static size_t allocation_of(size_t run, size_t runs, size_t allocations) {
    size_t dense = runs / 2;
    if (allocations <= runs || run < dense) {
        return run + 1;
    }
    return dense + 1 + (run - dense) * (allocations - dense) / (runs - dense);
}

static size_t torture_one_way(const struct torture *torture, const struct CMUnitTest *test,
                              size_t allocations, bool also_later) {
    size_t defects = 0;
    size_t runs = allocations < runs_max() ? allocations : runs_max();
    for (size_t i = 0; i < runs && defects < DEFECTS_SHOWN; i++) {
        struct memory_plan plan = {
            .first = allocation_of(i, runs, allocations),
            .also_later = also_later,
        };
        const char *defect = defect_of(torture, run(torture, test, plan));
        if (defect != NULL) {
            defects++;
            show_defect(torture, test, plan, defect);
        }
    }
    return defects;
}

/* Of its twenty requests none is answered before all have come: one that fails stops the others. */
static bool is_left_out(const struct CMUnitTest *test) {
    return strcmp(test->name, "runs_many_exchanges_at_once") == 0;
}

/* One test alone, to look into what was found. */
static bool is_wanted(const struct CMUnitTest *test) {
    const char *wanted = getenv("TORTURE_TEST");
    return wanted == NULL || strcmp(wanted, test->name) == 0;
}

static bool torture_test(const struct torture *torture, const struct CMUnitTest *test) {
    if (is_left_out(test) || !is_wanted(test)) {
        return true;
    }
    if (run(torture, test, (struct memory_plan){0}) != 0) {
        printf("%s fails with all the memory that it wants:\n", test->name);
        show_output(torture);
        return false;
    }
    size_t allocations = torture->plan->asked;
    printf("[ RUN      ] %s: %zu allocations\n", test->name, allocations);
    return torture_one_way(torture, test, allocations, false) +
               torture_one_way(torture, test, allocations, true) ==
           0;
}

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t count,
                                   CMFixtureFunction setup, CMFixtureFunction teardown) {
    (void)name;
    size_t failed = 0;
    struct torture torture = {
        .group_setup = setup,
        .group_teardown = teardown,
        .plan = mmap(NULL, sizeof *torture.plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0),
        .output = tmpfile(),
    };
    if (torture.plan == MAP_FAILED || torture.output == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        failed += !torture_test(&torture, &tests[i]);
    }
    printf("[  PASSED  ] %zu test(s).\n[  FAILED  ] %zu test(s).\n", count - failed, failed);
    return (int)failed;
}

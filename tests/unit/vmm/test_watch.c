/* What a boot is watched for: signs, lines, ports and results together; and the form of results. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "tests/unit/unit.h"
#include "vmm/forward_probe.h"
#include "vmm/results.h"
#include "vmm/watch.h"

#define LOGIN_PROMPT "\r\nweb1 login: "
#define CLOUD_FINISHED                                                                             \
    "[  110.900000] cloud-init[438]: Cloud-init v. 22.4.2 finished at Sat, 21 Nov 2026 13:07:42 "  \
    "+0000. "                                                                                      \
    "Datasource DataSourceNoCloud [seed=/dev/vdb][dsmode=net].  Up 110.89 seconds\r\n"
#define PANIC "[    5.616422] Kernel panic - not syncing: fake\r\n"

static struct vm_disk seeded[] = {{.path = "disk"}, {.path = "seed", .seed = true}};

static struct vm_watch *start(const struct vm_config *config)
{
    struct vm_watch *watch;
    assert_int_equal(vm_watch_new(config, &watch, NULL), 0);
    return watch;
}

static void say(struct vm_watch *watch, const char *text)
{
    vm_watch_console(watch, text, strlen(text));
}

static void tell(struct vm_watch *watch, const char *text)
{
    vm_watch_results(watch, text, strlen(text));
}

/* Frees the watch. `reason`: a part of it. */
static void assert_end(struct vm_watch *watch, enum vm_verdict verdict, const char *reason)
{
    _cleanup_vm_result_ struct vm_result result = {0};
    assert_int_equal(vm_watch_fill(watch, &result, NULL), 0);
    vm_watch_free(watch);
    assert_string_equal(vm_verdict_name(result.verdict), vm_verdict_name(verdict));
    if (!strstr(result.reason, reason))
        assert_string_equal(result.reason, reason);
}

static void a_sign_ends_a_plain_boot(void **state)
{
    (void)state;
    const struct vm_config config = {.disks = seeded, .disk_count = 1};
    struct vm_watch *watch = start(&config);
    assert_false(vm_watch_over(watch));
    say(watch, LOGIN_PROMPT);
    assert_true(vm_watch_over(watch));
    assert_false(vm_watch_listens(watch));
    assert_end(watch, VERDICT_LOGIN_PROMPT, "web1 login:");
}

static void a_line_that_is_waited_for(void **state)
{
    (void)state;
    regex_t pattern;
    assert_int_equal(regcomp(&pattern, "started (nginx|apache)$", REG_EXTENDED | REG_NOSUB), 0);
    const struct vm_config config = {
        .disks = seeded, .disk_count = 1, .expected = VERDICT_LINE_SEEN, .wait_for = &pattern};

    struct vm_watch *watch = start(&config);
    say(watch, LOGIN_PROMPT);
    assert_false(vm_watch_over(watch));
    say(watch, "\r\n\033[32mstarted ng");
    assert_false(vm_watch_over(watch));
    assert_false(vm_watch_listens(watch));
    say(watch, "inx\033[0m\r\n");
    assert_true(vm_watch_over(watch));
    /* The expression may have matched only the beginning of the line. */
    assert_true(vm_watch_listens(watch));
    assert_end(watch, VERDICT_LINE_SEEN, "started nginx");

    /* A machine that is heard on may do what it likes. */
    watch = start(&config);
    say(watch, "started nginx\r\n");
    vm_watch_reset(watch);
    vm_watch_power_off(watch);
    assert_end(watch, VERDICT_LINE_SEEN, "started nginx");

    watch = start(&config);
    say(watch, "restarted nginx-light\r\n" PANIC);
    assert_true(vm_watch_over(watch));
    assert_true(vm_watch_listens(watch));
    assert_end(watch, VERDICT_PANIC, "fake");

    watch = start(&config);
    say(watch, LOGIN_PROMPT);
    assert_end(watch, VERDICT_TIMEOUT, "no line of the console matched; ");

    watch = start(&config);
    say(watch, LOGIN_PROMPT);
    vm_watch_power_off(watch);
    assert_true(vm_watch_over(watch));
    assert_end(watch, VERDICT_POWER_OFF, "switched itself off: no line of the console matched");
    regfree(&pattern);
}

static void whoever_sits_there_decides_when_it_is_over(void **state)
{
    (void)state;
    const struct vm_terminal terminal = {-1, -1};
    const struct vm_config config = {.disks = seeded, .disk_count = 1, .terminal = &terminal};
    struct vm_watch *watch = start(&config);
    say(watch, LOGIN_PROMPT);
    assert_false(vm_watch_over(watch));
    vm_watch_interrupt(watch);
    assert_true(vm_watch_over(watch));
    assert_end(watch, VERDICT_LOGIN_PROMPT, "web1 login:");

    watch = start(&config);
    say(watch, PANIC);
    assert_false(vm_watch_over(watch));
    assert_false(vm_watch_listens(watch));
    vm_watch_power_off(watch);
    assert_end(watch, VERDICT_PANIC, "fake");

    watch = start(&config);
    say(watch, "Booting\r\n");
    vm_watch_interrupt(watch);
    assert_end(watch, VERDICT_INTERRUPTED, "Booting");
}

static void all_that_is_asked_for_is_waited_for(void **state)
{
    (void)state;
    regex_t pattern;
    assert_int_equal(regcomp(&pattern, "ready", REG_EXTENDED | REG_NOSUB), 0);
    const struct vm_config config = {.disks = seeded,
                                     .disk_count = 2,
                                     .expected = VERDICT_CLOUD_INIT_DONE,
                                     .wait_for = &pattern,
                                     .results = true,
                                     .results_needed = true};
    struct vm_watch *watch = start(&config);
    tell(watch, RESULTS_HEADER);
    say(watch, "ready\r\n" CLOUD_FINISHED);
    assert_false(vm_watch_over(watch));
    tell(watch, "exit 2\n0\n\n");
    assert_false(vm_watch_over(watch));
    tell(watch, "end 0\n\n");
    assert_true(vm_watch_over(watch));
    vm_watch_reset(watch);
    assert_end(watch, VERDICT_CLOUD_INIT_DONE, "finished at");

    watch = start(&config);
    say(watch, "ready\r\n" CLOUD_FINISHED);
    assert_end(watch, VERDICT_TIMEOUT, "nothing came through the port org.kiln.results");
    regfree(&pattern);
}

static void results_on_their_way_are_waited_for_a_while(void **state)
{
    (void)state;
    const struct vm_config config = {.disks = seeded, .disk_count = 2, .results = true};
    bool wants;
    struct vm_watch *watch = start(&config);
    say(watch, CLOUD_FINISHED);
    assert_true(vm_watch_over(watch)); /* a guest that does not know the port */
    vm_watch_free(watch);

    watch = start(&config);
    tell(watch, RESULTS_HEADER "status 3\nabc");
    assert_true(vm_watch_step(watch, &wants) == UINT64_MAX);
    say(watch, CLOUD_FINISHED);
    assert_false(vm_watch_over(watch));
    assert_int_equal(vm_watch_verdict(watch), VERDICT_CLOUD_INIT_DONE);
    assert_in_range(vm_watch_step(watch, &wants), 1, 60000);
    say(watch, PANIC);
    assert_true(vm_watch_over(watch));
    vm_watch_free(watch);

    watch = start(&config);
    tell(watch, RESULTS_HEADER "status 3\nabc");
    vm_watch_reset(watch);
    tell(watch, RESULTS_HEADER "status 1\nx\n");
    say(watch, CLOUD_FINISHED);
    assert_false(vm_watch_over(watch));
    tell(watch, "end 0\n\n");
    assert_true(vm_watch_over(watch));
    _cleanup_vm_result_ struct vm_result result = {0};
    assert_int_equal(vm_watch_fill(watch, &result, NULL), 0);
    assert_string_equal(result.results, RESULTS_HEADER "status 1\nx\nend 0\n\n");
    vm_watch_free(watch);
}

static void a_flood_of_results_is_bounded(void **state)
{
    (void)state;
    const struct vm_config config = {
        .disks = seeded, .disk_count = 2, .results = true, .results_needed = true};
    struct vm_watch *watch = start(&config);
    static char block[65536];
    memset(block, 'x', sizeof(block));
    tell(watch, RESULTS_HEADER "stdout 8000000\n");
    for (int i = 0; i < 400; i++)
        vm_watch_results(watch, block, sizeof(block));
    say(watch, CLOUD_FINISHED);
    assert_true(vm_watch_over(watch));
    _cleanup_vm_result_ struct vm_result result = {0};
    assert_int_equal(vm_watch_fill(watch, &result, NULL), 0);
    assert_in_range(result.results_size, 1, RESULTS_MAX);
    vm_watch_free(watch);
}

/* A listener on a free port of 127.0.0.1. */
static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void a_port_counts_when_it_speaks(void **state)
{
    (void)state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    const struct vm_forward forward = {port, 22};
    const struct vm_config config = {.disks = seeded,
                                     .disk_count = 1,
                                     .expected = VERDICT_PORT_OPEN,
                                     .forwards = &forward,
                                     .forward_count = 1,
                                     .wait_port = 22};
    struct vm_watch *watch = start(&config);
    bool wants;
    assert_in_range(vm_watch_step(watch, &wants), 1, 10000);
    assert_true(wants);
    say(watch, LOGIN_PROMPT);
    assert_false(vm_watch_over(watch));
    int connection = accept(listener, NULL, NULL);
    assert_int_equal(write(connection, "SSH-2.0\r\n", 9), 9);
    for (int i = 0; i < 1200 && !vm_watch_over(watch); i++) {
        usleep(50000);
        vm_watch_step(watch, &wants);
    }
    assert_true(vm_watch_over(watch));
    assert_end(watch, VERDICT_PORT_OPEN, "port 22 of the guest accepts");
    close(connection);

    /* Accepted by the network, not by the guest, which then closes. */
    watch = start(&config);
    vm_watch_step(watch, &wants);
    close(accept(listener, NULL, NULL));
    usleep(600000);
    vm_watch_step(watch, &wants);
    assert_false(vm_watch_over(watch));
    assert_end(watch, VERDICT_TIMEOUT, "port 22 of the guest did not accept a connection; ");
    close(listener);
}

static void the_list_of_connections_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool accepted;
    } cases[] = {
        {"", false},
        {"Hub -1 (net):\\r\\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port "
         "RecvQ SendQ\\r\\n  TCP[HOST_FORWARD]  17       127.0.0.1  2222       10.0.2.15    22     "
         "0 "
         "    0\\r\\n",
         false},
        {"  TCP[SYN_SENT]      19       127.0.0.1  2222       10.0.2.15    22     0     0\\r\\n",
         false},
        {"  TCP[HOST_FORWARD]  17       127.0.0.1  2222       10.0.2.15    22     0     0\\r\\n"
         "  TCP[ESTABLISHED]   19       127.0.0.1  2222       10.0.2.15    22     0     0\\r\\n",
         true},
        {"  TCP[ESTABLISHED]   19       127.0.0.1  2223       10.0.2.15    22     0     0\n",
         false},
        {"  TCP[ESTABLISHED]   19       10.0.2.15 40000   93.184.216.34    22     0     0\n",
         false},
        {"  TCP[ESTABLISHED]   9999999999999999999 1 TCP[ TCP[ESTABLISHED", false},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct forward_probe probe = {.host_port = 2222, .guest_port = 22, .fd = -1};
        forward_probe_read_list(&probe, cases[i].list);
        assert_int_equal(probe.accepted, cases[i].accepted);
    }
}

static enum results_step last_step(const char *text, size_t *ret_sections)
{
    struct results_section section;
    size_t offset = 0;
    enum results_step step;
    *ret_sections = 0;
    while ((step = results_next(text, strlen(text), &offset, &section)) == RESULTS_SECTION)
        (*ret_sections)++;
    return step;
}

static void results_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t sections;
        enum results_step step;
    } cases[] = {
        {"", 0, RESULTS_MORE},
        {"kiln-res", 0, RESULTS_MORE},
        {RESULTS_HEADER, 0, RESULTS_MORE},
        {RESULTS_HEADER "end 0\n\n", 0, RESULTS_END},
        {RESULTS_HEADER "a 3\nend\nb 0\n\nend 0\n\n", 2, RESULTS_END},
        {RESULTS_HEADER "a 3\nend", 0, RESULTS_MORE},
        {RESULTS_HEADER "a 3\nendx", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "a\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "a -1\n\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "a 99999999\n\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "a 999999999\n\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "A 1\nx\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "abcdefghijklmnopqrstuvwxyzabcdefghijkl 1\nx\n", 0, RESULTS_GARBLED},
        {RESULTS_HEADER "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", 0, RESULTS_GARBLED},
        {"something else\n", 0, RESULTS_GARBLED},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t sections;
        assert_int_equal(last_step(cases[i].text, &sections), cases[i].step);
        assert_int_equal(sections, cases[i].sections);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sign_ends_a_plain_boot),
        cmocka_unit_test(a_line_that_is_waited_for),
        cmocka_unit_test(whoever_sits_there_decides_when_it_is_over),
        cmocka_unit_test(all_that_is_asked_for_is_waited_for),
        cmocka_unit_test(results_on_their_way_are_waited_for_a_while),
        cmocka_unit_test(a_flood_of_results_is_bounded),
        cmocka_unit_test(a_port_counts_when_it_speaks),
        cmocka_unit_test(the_list_of_connections_is_understood),
        cmocka_unit_test(results_are_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

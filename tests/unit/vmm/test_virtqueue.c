/* The split virtqueue on plain memory: what honest drivers do, and what no driver may do. */

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/virtio/virtqueue.h"

enum {
    size = 8,
    table = 0x1000,
    avail = 0x2000,
    used = 0x3000,
    buffers = 0x10000,
    memory_size = 1 << 20
};
enum { next = 1, writable = 2, indirect = 4 };

struct fixture {
    struct guest_memory memory;
    struct virtqueue queue;
    struct virtq_chain chain;
    uint16_t added;
};

static uint8_t *at(struct fixture *f, uint64_t address)
{
    return f->memory.regions[0].host + address;
}

static void put16(struct fixture *f, uint64_t address, uint16_t value)
{
    value = htole16(value);
    memcpy(at(f, address), &value, sizeof(value));
}

static uint16_t get16(struct fixture *f, uint64_t address)
{
    uint16_t value;
    memcpy(&value, at(f, address), sizeof(value));
    return le16toh(value);
}

static void describe(struct fixture *f, uint64_t where, uint64_t address, uint32_t length,
                     uint16_t flags, uint16_t following)
{
    uint64_t le_address = htole64(address);
    uint32_t le_length = htole32(length);
    memcpy(at(f, where), &le_address, 8);
    memcpy(at(f, where + 8), &le_length, 4);
    put16(f, where + 12, flags);
    put16(f, where + 14, following);
}

static void publish(struct fixture *f, uint16_t head)
{
    put16(f, avail + 4 + 2u * (f->added % size), head);
    put16(f, avail + 2, ++f->added);
}

static void enable(struct fixture *f, bool event_idx)
{
    virtq_reset(&f->queue);
    f->added = 0;
    f->queue.size = size;
    f->queue.descriptors = table;
    f->queue.available = avail;
    f->queue.used_ring = used;
    memset(at(f, table), 0, 0x3000);
    assert_int_equal(virtq_enable(&f->queue, &f->memory, event_idx, true), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(guest_memory_map(memory_size, false, &f->memory, NULL), 0);
    enable(f, false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    guest_memory_unmap(&f->memory);
    free(f);
    return 0;
}

static void takes_requests_apart(void **state)
{
    struct fixture *f = *state;
    char text[16];
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 0);
    describe(f, table, buffers, 5, next, 3);
    describe(f, table + 48, buffers + 0x1000, 6, next, 1);
    describe(f, table + 16, buffers + 0x2000, 7, next | writable, 2);
    describe(f, table + 32, buffers + 0x3000, 8, writable, 0);
    memcpy(at(f, buffers), "Hello", 5);
    memcpy(at(f, buffers + 0x1000), " world", 6);
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
    assert_int_equal(f->chain.out_count, 2);
    assert_int_equal(f->chain.in_count, 2);
    assert_int_equal(f->chain.out_size, 11);
    assert_int_equal(f->chain.in_size, 15);
    assert_int_equal(virtq_read(&f->chain, text, 3), 3);
    assert_int_equal(virtq_read(&f->chain, text + 3, sizeof(text) - 3), 8);
    assert_memory_equal(text, "Hello world", 11);
    assert_int_equal(virtq_read(&f->chain, text, 1), 0);
    uint8_t *last = virtq_take_last(&f->chain);
    assert_ptr_equal(last, at(f, buffers + 0x3007));
    assert_int_equal(virtq_write(&f->chain, "0123456789abcdefgh", 18), 14);
    assert_memory_equal(at(f, buffers + 0x2000), "0123456", 7);
    assert_memory_equal(at(f, buffers + 0x3000), "789abcd", 7);
    assert_null(virtq_take_last(&f->chain));
    virtq_push(&f->queue, f->chain.head, f->chain.written);
    assert_int_equal(get16(f, used + 2), 1);
    assert_int_equal(get16(f, used + 8), 14);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 0);
}

static void joins_neighbours_of_one_kind(void **state)
{
    struct fixture *f = *state;
    describe(f, table, buffers, 512, next, 1);
    describe(f, table + 16, buffers + 512, 512, next, 2);
    describe(f, table + 32, buffers + 1024, 512, next | writable, 3);
    describe(f, table + 48, buffers + 1536, 512, writable, 0);
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
    assert_int_equal(f->chain.out_count, 1);
    assert_int_equal(f->chain.in_count, 1);
    assert_int_equal(f->chain.out[0].iov_len, 1024);
    assert_int_equal(f->chain.in[0].iov_len, 1024);
}

static void follows_indirect_tables(void **state)
{
    struct fixture *f = *state;
    describe(f, table, buffers, 16, next, 1);
    describe(f, table + 16, 0x8000, 100 * 16, indirect | writable, 0);
    for (uint16_t i = 0; i < 100; i++)
        describe(f, 0x8000 + 16u * i, buffers + 0x1000 + 0x100u * i, 4,
                 (uint16_t)(writable | (i < 99 ? next : 0)), (uint16_t)(i + 1));
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
    assert_int_equal(f->chain.out_count, 1);
    assert_int_equal(f->chain.in_count, 100);
    assert_int_equal(f->chain.in_size, 400);
}

static void refuses_broken_chains(void **state)
{
    struct fixture *f = *state;
    const struct {
        uint64_t address;
        uint32_t length;
        uint16_t flags, following;
    } broken[] = {
        {buffers, 4, next, size},            /* beyond the table */
        {buffers, 4, next, 0},               /* a loop */
        {memory_size - 2, 4, 0, 0},          /* across the end of memory */
        {UINT64_MAX - 1, 4, 0, 0},           /* around the end of addresses */
        {UINT64_C(0xd0000000), 4, 0, 0},     /* no memory at all */
        {buffers, 0, 0, 0},                  /* nothing */
        {0x8000, 20, indirect, 0},           /* no whole number of descriptors */
        {0x8000, 0, indirect, 0},            /* an empty table */
        {memory_size - 16, 32, indirect, 0}, /* a table across the end of memory */
        {0x8000, 16, indirect | next, 1},    /* both */
        {0x9000, 16, indirect, 0},           /* a table in a table */
        {0xa000, 32, indirect, 0},           /* a table that points out of itself */
        {0xb000, 32, indirect, 0},           /* a table with a loop */
    };
    describe(f, 0x9000, 0x8000, 16, indirect, 0);
    describe(f, 0xa000, buffers, 4, next, 2);
    describe(f, 0xb000, buffers, 4, next, 1);
    describe(f, 0xb010, buffers, 4, next, 0);
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        enable(f, false);
        describe(f, table, broken[i].address, broken[i].length, broken[i].flags,
                 broken[i].following);
        publish(f, 0);
        if (virtq_pop(&f->queue, &f->chain) != -EPROTO)
            fail_msg("case %zu was taken", i);
    }
}

static void refuses_reads_behind_writes(void **state)
{
    struct fixture *f = *state;
    describe(f, table, buffers, 4, writable | next, 1);
    describe(f, table + 16, buffers + 64, 4, 0, 0);
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), -EPROTO);
}

static void refuses_rings_that_lie(void **state)
{
    struct fixture *f = *state;
    publish(f, size); /* a head that is none */
    assert_int_equal(virtq_pop(&f->queue, &f->chain), -EPROTO);
    enable(f, false);
    put16(f, avail + 2, size + 1); /* more than fit */
    assert_int_equal(virtq_pop(&f->queue, &f->chain), -EPROTO);
    enable(f, false);
    virtq_reset(&f->queue);
    f->queue.size = size;
    f->queue.descriptors = table;
    f->queue.available = avail;
    f->queue.used_ring = used;
    assert_int_equal(virtq_enable(&f->queue, &f->memory, false, false), 0);
    describe(f, table, 0x8000, 16, indirect, 0); /* not agreed upon */
    f->added = 0;
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), -EPROTO);
}

static void refuses_endless_chains(void **state)
{
    struct fixture *f = *state;
    /* The same megabyte, over and over. */
    describe(f, table, 0x8000, 256 * 16, indirect, 0);
    for (uint16_t i = 0; i < 256; i++)
        describe(f, 0x8000 + 16u * i, 0, memory_size, (uint16_t)(i < 255 ? next : 0),
                 (uint16_t)(i + 1));
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
    assert_int_equal(f->chain.out_size, UINT64_C(256) << 20);
    describe(f, table, 0x8000, 257 * 16, indirect, 0);
    describe(f, 0x8000 + 16 * 255, 0, 4096, next, 256);
    describe(f, 0x8000 + 16 * 256, 0, 4096, 0, 0);
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), -EPROTO); /* too long a chain */
}

static void refuses_bad_places(void **state)
{
    struct fixture *f = *state;
    const struct {
        uint16_t size;
        uint64_t descriptors, available, used;
    } bad[] = {
        {0, table, avail, used},
        {3, table, avail, used},
        {512, table, avail, used},
        {size, table + 8, avail, used},
        {size, table, avail + 1, used},
        {size, table, avail, used + 2},
        {size, memory_size - 16, avail, used},
        {size, table, memory_size - 8, used},
        {size, table, avail, memory_size - 8},
        {size, table, UINT64_MAX - 3, used},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        virtq_reset(&f->queue);
        f->queue.size = bad[i].size;
        f->queue.descriptors = bad[i].descriptors;
        f->queue.available = bad[i].available;
        f->queue.used_ring = bad[i].used;
        if (virtq_enable(&f->queue, &f->memory, false, false) != -EINVAL || f->queue.enabled)
            fail_msg("case %zu was taken", i);
    }
}

static void interrupts_unless_told_not_to(void **state)
{
    struct fixture *f = *state;
    assert_false(virtq_should_signal(&f->queue)); /* nothing yet */
    virtq_push(&f->queue, 0, 0);
    assert_true(virtq_should_signal(&f->queue));
    assert_false(virtq_should_signal(&f->queue)); /* nothing new */
    put16(f, avail, 1);
    virtq_push(&f->queue, 0, 0);
    assert_false(virtq_should_signal(&f->queue));
    virtq_notify_off(&f->queue);
    assert_int_equal(get16(f, used), 1);
    assert_false(virtq_notify_on(&f->queue));
    assert_int_equal(get16(f, used), 0);
    describe(f, table, buffers, 4, 0, 0);
    publish(f, 0);
    assert_true(virtq_notify_on(&f->queue));
}

static void interrupts_at_the_event_index(void **state)
{
    struct fixture *f = *state;
    const uint64_t used_event = avail + 4 + 2 * size, avail_event = used + 4 + 8 * size;
    enable(f, true);
    put16(f, used_event, 2);
    assert_false(virtq_should_signal(&f->queue));
    virtq_push(&f->queue, 0, 0);
    assert_false(virtq_should_signal(&f->queue));
    virtq_push(&f->queue, 0, 0);
    assert_false(virtq_should_signal(&f->queue));
    virtq_push(&f->queue, 0, 0);
    assert_true(virtq_should_signal(&f->queue));
    virtq_push(&f->queue, 0, 0);
    assert_false(virtq_should_signal(&f->queue));
    describe(f, table, buffers, 4, 0, 0);
    publish(f, 0);
    assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
    assert_int_equal(get16(f, avail_event), 0);
    assert_false(virtq_notify_on(&f->queue));
    assert_int_equal(get16(f, avail_event), 1);
}

static void indexes_wrap(void **state)
{
    struct fixture *f = *state;
    describe(f, table, buffers, 4, 0, 0);
    for (unsigned i = 0; i < 70000; i++) {
        publish(f, 0);
        assert_int_equal(virtq_pop(&f->queue, &f->chain), 1);
        virtq_push(&f->queue, f->chain.head, 0);
        assert_true(virtq_should_signal(&f->queue));
    }
    assert_int_equal(get16(f, used + 2), 70000 % 65536);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(takes_requests_apart),
        test(joins_neighbours_of_one_kind),
        test(follows_indirect_tables),
        test(refuses_broken_chains),
        test(refuses_reads_behind_writes),
        test(refuses_rings_that_lie),
        test(refuses_endless_chains),
        test(refuses_bad_places),
        test(interrupts_unless_told_not_to),
        test(interrupts_at_the_event_index),
        test(indexes_wrap),
    };
    return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}

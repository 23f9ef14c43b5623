/* The holes of files on the host. Private to guest/. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The first run of data at or behind `at`. False: there is none, and *ret_end is the file's size.
 * Where holes cannot be told, for instance in a pipe, all is data and *ret_end UINT64_MAX. Leaves
 * the descriptor's position where it was. */
bool hole_find_data(int fd, uint64_t at, uint64_t *ret_start, uint64_t *ret_end);

/* Bytes of data from the descriptor's position on; 0 where that cannot be told. */
uint64_t hole_count_data(int fd);

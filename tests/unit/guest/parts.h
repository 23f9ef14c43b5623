/* Small guests on several partitions. */
#pragma once

#include "tests/unit/guest/fixture.h"

/* An image with a GPT; partition sizes in MiB, and what mke2fs or others put there. */
static inline void parts_table(const struct fixture *fx, const char *script, const char *size)
{
    fixture_command("truncate", "-s", "0", fx->image);
    fixture_command("truncate", "-s", size, fx->image);
    struct proc_options options = {PROC_OPTIONS_INIT,
                                   .argv = (const char *const[]){"sfdisk", "-q", fx->image, NULL}};
    assert_ok(proc_check(&options, script, strlen(script), 1 << 16, COMMAND_MS, NULL, err));
}

/* Puts a file's bytes at an offset in MiB. */
static inline void parts_place(const struct fixture *fx, const char *file, const char *offset_mib)
{
    _cleanup_free_ char *in = str_printf(NULL, "if=%s", file);
    _cleanup_free_ char *out = str_printf(NULL, "of=%s", fx->image);
    _cleanup_free_ char *seek = str_printf(NULL, "seek=%s", offset_mib);
    assert_int_equal(fixture_command("dd", in, out, "bs=1M", "conv=notrunc", seek, "status=none"),
                     0);
}

static inline void parts_check_clean(const struct fixture *fx, const char *skip_mib,
                                     const char *count_mib)
{
    _cleanup_free_ char *part = str_printf(NULL, "%s/part.img", fx->dir);
    _cleanup_free_ char *in = str_printf(NULL, "if=%s", fx->image);
    _cleanup_free_ char *out = str_printf(NULL, "of=%s", part);
    _cleanup_free_ char *skip = str_printf(NULL, "skip=%s", skip_mib);
    _cleanup_free_ char *count = str_printf(NULL, "count=%s", count_mib);
    assert_int_equal(fixture_command("dd", in, out, "bs=1M", skip, count, "status=none"), 0);
    fixture_check_clean(part);
}

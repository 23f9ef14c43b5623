/* Giving memory back: less is resident afterwards, and nothing has changed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/kvm/resident.h"

static char changed[3 * 4096] = "as in the program";
static const char constant[] = "never changed";

/* Pages of files, in KiB. */
static unsigned long resident_of_files(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %*u %lu", &pages), 1);
    fclose(file);
    return pages * 4;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void test_trim(void **state)
{
    (void)state;
    const char *words[] = {"c", "a", "b"};
    char *heap = strdup("on the heap");
    strcpy(changed + 4096, "by the program");
    unsigned long before = resident_of_files();
    resident_trim();
    unsigned long after = resident_of_files();
    assert_true(after < before);
    assert_string_equal(changed, "as in the program");
    assert_string_equal(changed + 4096, "by the program");
    assert_string_equal(constant, "never changed");
    assert_string_equal(heap, "on the heap");
    /* Code and tables of libraries come again. */
    qsort(words, 3, sizeof(words[0]), compare);
    assert_string_equal(words[0], "a");
    free(heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trim),
    };
    return cmocka_run_group_tests_name("resident", tests, NULL, NULL);
}

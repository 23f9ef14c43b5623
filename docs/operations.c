/*
 * Prints parts of the manuals in scdoc's language, from the tables that the program itself uses:
 *
 *   operations customize   the options that change a guest
 *   operations sysprep     the operations of `kiln sysprep`
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "customize/operation.h"
#include "sysprep/operation.h"

/* scdoc takes these for formatting. */
static void print_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '_' || *text == '*' || *text == '\\' || *text == '~' || *text == '#')
            putchar('\\');
        putchar(*text);
    }
}

static void print_customize(void)
{
    for (size_t i = 0; i < customize_operation_count; i++) {
        const struct customize_operation *operation = customize_operations[i];
        printf("*--%s*", operation->name);
        if (operation->metavar) {
            printf(" _");
            print_escaped(operation->metavar);
            printf("_");
        }
        printf("\n\t");
        print_escaped(operation->manual);
        printf("\n\n\tExample: *");
        print_escaped(operation->example);
        printf("*\n\n");
    }
}

static int by_name(const void *a, const void *b)
{
    const struct sysprep_operation *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int print_sysprep(void)
{
    const struct sysprep_operation **sorted = calloc(sysprep_operation_count, sizeof(*sorted));
    if (!sorted)
        return -1;
    memcpy(sorted, sysprep_operations, sysprep_operation_count * sizeof(*sorted));
    qsort(sorted, sysprep_operation_count, sizeof(*sorted), by_name);
    for (size_t i = 0; i < sysprep_operation_count; i++) {
        printf("*%s*%s\n\t", sorted[i]->name, sorted[i]->by_default ? " (default)" : "");
        print_escaped(sorted[i]->manual);
        printf("\n\n");
    }
    free(sorted);
    return 0;
}

int main(int argc, char **argv)
{
    int r = 0;
    if (argc == 2 && strcmp(argv[1], "customize") == 0)
        print_customize();
    else if (argc == 2 && strcmp(argv[1], "sysprep") == 0)
        r = print_sysprep();
    else
        r = -1;
    return r < 0 || ferror(stdout) ? 1 : 0;
}

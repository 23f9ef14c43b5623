/* Prints the manuals' section on the changes to the guest, in scdoc's language, from the one table.
 */

#include <stdio.h>

#include "customize/operation.h"

/* scdoc takes these for formatting. */
static void print_escaped(const char *text)
{
    for (; *text; text++) {
        if (*text == '_' || *text == '*' || *text == '\\' || *text == '~' || *text == '#')
            putchar('\\');
        putchar(*text);
    }
}

int main(void)
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
    return ferror(stdout) ? 1 : 0;
}

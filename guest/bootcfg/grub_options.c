/* Options of commands, as grub_arg_parse() of grub-core/lib/arg.c reads them. */
#include "guest/bootcfg/grub_run.h"

void grub_options_free(struct grub_options *options)
{
    strv_free(&options->rest);
}

static const struct grub_option *find_letter(const struct grub_option *options, size_t count,
                                             char letter)
{
    for (size_t i = 0; i < count; i++)
        if (options[i].letter && options[i].letter == letter)
            return &options[i];
    return NULL;
}

static const struct grub_option *find_name(const struct grub_option *options, size_t count,
                                           const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0)
            return &options[i];
    return NULL;
}

/* What is read now. */
struct reader {
    const struct strv *words;
    size_t at;
    const struct grub_option *options;
    size_t count;
    struct grub_options *result;
};

static const char *next_word(const struct reader *reader)
{
    return reader->at + 1 < reader->words->count ? reader->words->items[reader->at + 1] : NULL;
}

static int give(struct reader *reader, const struct grub_option *option, const char *value)
{
    if (option->value ? !value && !option->optional : value != NULL)
        return GRUB_BAD_ARGUMENT;
    reader->result->values[option - reader->options] = value ? value : "";
    return GRUB_OK;
}

static int read_long(struct reader *reader, const char *word, const struct grub_option *option)
{
    const char *value = strchr(word, '=');
    const char *next = next_word(reader);
    if (value) {
        value++;
    } else if (next && *next != '-' && option->value) {
        value = next;
        reader->at++;
    }
    return give(reader, option, value);
}

/* One word may have several letters; the last one alone may have a value, the next word. */
static int read_letters(struct reader *reader, const char *letters)
{
    int r = GRUB_OK;
    for (; r == GRUB_OK && *letters; letters++) {
        const struct grub_option *option = find_letter(reader->options, reader->count, *letters);
        if (!option)
            return GRUB_BAD_ARGUMENT;
        const char *next = next_word(reader), *value = NULL;
        if (!letters[1] && option->value && next &&
            (!option->optional || strlen(next) < 2 || *next != '-')) {
            value = next;
            reader->at++;
        }
        r = give(reader, option, value);
    }
    return r;
}

static bool all_letters_known(const struct reader *reader, const char *letters)
{
    while (*letters && find_letter(reader->options, reader->count, *letters))
        letters++;
    return !*letters;
}

/* The word is taken for an option, or refused as one. */
static bool is_option(const struct reader *reader, const char *word, bool dashes)
{
    if (word[0] != '-' || !word[1])
        return false;
    if (!dashes)
        return true;
    if (word[1] != '-')
        return all_letters_known(reader, word + 1);
    return find_name(reader->options, reader->count, word, strcspn(word, "=")) != NULL;
}

int grub_options_read(const struct strv *words, const struct grub_option *options, size_t count,
                      bool dashes, struct grub_options *ret, struct error **err)
{
    struct reader reader = {
        .words = words, .at = 1, .options = options, .count = count, .result = ret};
    bool ended = false; /* by "--" */
    int r = GRUB_OK;
    for (; r == GRUB_OK && reader.at < words->count; reader.at++) {
        const char *word = words->items[reader.at];
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
        } else if (ended || !is_option(&reader, word, dashes)) {
            r = strv_add(&ret->rest, word, err);
        } else if (word[1] != '-') {
            r = read_letters(&reader, word + 1);
        } else {
            const struct grub_option *option = find_name(options, count, word, strcspn(word, "="));
            r = option ? read_long(&reader, word, option) : GRUB_BAD_ARGUMENT;
        }
    }
    return r;
}

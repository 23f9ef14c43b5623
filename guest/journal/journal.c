#include "guest/journal/journal.h"

#include <assert.h>
#include <stdlib.h>

#include "guest/journal/internal.h"

int guest_journal_open(struct guest *inner, bool keep_contents, struct guest **ret,
                       struct error **err)
{
    _cleanup_guest_ struct guest *owned = inner;
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return error_oom(err);
    journal->ops = journal_ops_over(inner->ops);
    journal->guest.ops = &journal->ops;
    journal->guest.writable = inner->writable;
    journal->keep = keep_contents;
    journal->inner = TAKE_PTR(owned);
    _cleanup_guest_ struct guest *guest = &journal->guest;
    int r = str_replace(&guest->path, inner->path, err);
    if (r == 0)
        r = str_replace(&guest->reason, inner->reason, err);
    for (size_t i = 0; r == 0 && i < inner->unserved.count; i++)
        r = strv_add(&guest->unserved, inner->unserved.items[i], err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(guest);
    return 0;
}

const struct guest_journal *guest_journal_of(struct guest *guest)
{
    struct guest_journal net;
    struct journal *journal = journal_of(guest);
    if (!journal_is(guest) || journal_net(journal->inner, &journal->records, &net, NULL) < 0)
        return NULL;
    journal_net_free(&journal->net);
    journal->net = net;
    journal->net.programs_ran = journal->programs_ran;
    return &journal->net;
}

void guest_journal_pretend(struct guest *guest)
{
    assert(journal_is(guest));
    journal_ops_pretend(journal_of(guest));
}

struct guest *guest_journal_unwrap(struct guest *guest)
{
    assert(journal_is(guest));
    struct guest *inner = TAKE_PTR(journal_of(guest)->inner);
    guest_discard(guest);
    return inner;
}

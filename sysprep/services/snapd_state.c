#include "guest/text/text.h"
#include "sysprep/json_cut.h"
#include "sysprep/operations.h"

static const char state_path[] = "/var/lib/snapd/state.json";

/* The registration of this machine as a device of the store, and its key. */
static const char *const identity[][5] = {
    {"data", "auth", "device", "key-id", NULL},
    {"data", "auth", "device", "serial", NULL},
    {"data", "auth", "device", "session-macaroon", NULL},
};

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    _cleanup_text_ struct text state = {0};
    bool changed = false;
    int r = text_read(guest, state_path, &state, NULL, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(identity); i++) {
        bool cut;
        json_cut(&state, identity[i], &cut);
        changed |= cut;
    }
    return r < 0 || !changed ? r : guest_replace(guest, state_path, state.data, state.size, err);
}

const struct sysprep_operation sysprep_snapd_state = {
    .name = "snapd-state",
    .help = "make snapd register as another device",
    .manual = "Remove the device key, serial and store session of snapd from "
              "/var/lib/snapd/state.json and its key store, and what it has cached. Installed "
              "snaps stay; a clone registers with the store as a device of its own.",
    .by_default = true,
    .removes = {.trees = PATHS("/var/lib/snapd/device/private-keys-v1/*",
                               "/var/lib/snapd/assertions/asserts-v0/serial/*",
                               "/var/lib/snapd/cache/*")},
    .perform = perform,
};

/*
 * What a plugin and the program that loads it must agree on: they share kiln's own structs, so that
 * only those of one version fit together.
 */
#pragma once

#include <stddef.h>

#include "guest/engine.h"
#include "image/block.h"
#include "image/decoder.h"
#include "vmm/virtio/net.h"

struct plugin_abi {
    size_t size; /* of this struct */
    char version[32];
    /* Of the structs that are changed most often among those that are passed. */
    size_t guest, guest_ops, guest_open_options, block, block_ops, decoder_ops, vm_forward;
};

#define PLUGIN_ABI                                                                                 \
    {                                                                                              \
        .size = sizeof(struct plugin_abi), .version = KILN_VERSION, .guest = sizeof(struct guest), \
        .guest_ops = sizeof(struct guest_ops),                                                     \
        .guest_open_options = sizeof(struct guest_open_options), .block = sizeof(struct block),    \
        .block_ops = sizeof(struct block_ops), .decoder_ops = sizeof(struct decoder_ops),          \
        .vm_forward = sizeof(struct vm_forward),                                                   \
    }

/* In each plugin (abi.c). */
extern const struct plugin_abi kiln_plugin_abi;

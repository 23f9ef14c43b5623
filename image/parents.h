/* Differencing images of the formats that only QEMU reads. Internal to image/. */
#pragma once

#include "image/image.h"

/* -EUNTRUSTED for a VHDX or VDI image that holds only what differs from a parent. Their
 * parents are named by paths of the machine that made them, and no version of QEMU reads them. */
int parents_refuse(int fd, const char *name, enum image_format format, struct error **err);

/* The refusal itself, for a format that is looked at elsewhere. */
int parents_refusal(const char *name, const char *format, struct error **err);

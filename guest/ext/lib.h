/* libext2fs, for the files of the native engine that wrap it (ext_*.c) and no others. */
#pragma once

/* libcom_err declares a function of the same name as base/error.h does. Ours is meant here. */
#define error_message com_err_message
#include <ext2fs/ext2fs.h>
#undef error_message

image_srcs := $(wildcard image/*.c)
image_pkgs := libnbd jansson liblzma libzstd zlib

image_srcs := $(wildcard image/*.c)
image_pkgs := libnbd liblzma libzstd zlib

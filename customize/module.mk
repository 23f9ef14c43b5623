customize_srcs := $(wildcard customize/*.c customize/*/*.c)
customize_pkgs := libcrypt libarchive libpcre2-8

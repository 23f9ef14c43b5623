customize_srcs := $(wildcard customize/*.c)
customize_pkgs := libcrypt

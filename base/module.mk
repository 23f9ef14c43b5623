base_srcs := $(wildcard base/*.c)
base_pkgs := libcrypto

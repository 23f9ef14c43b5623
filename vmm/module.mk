vmm_srcs := $(wildcard vmm/*.c vmm/*/*.c)
vmm_pkgs := jansson slirp

cli_srcs := $(filter-out cli/main.c cli/lazy_load.c,$(wildcard cli/*.c))
cli_pkgs := jansson libxml-2.0

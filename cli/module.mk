cli_srcs := $(filter-out cli/main.c,$(wildcard cli/*.c))
cli_pkgs := jansson libxml-2.0

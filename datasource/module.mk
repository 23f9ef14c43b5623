datasource_srcs := $(wildcard datasource/*.c)
datasource_pkgs := yaml-0.1 libarchive

builder_srcs := $(wildcard builder/*.c)
builder_pkgs := 

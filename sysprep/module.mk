sysprep_srcs := $(wildcard sysprep/*.c)

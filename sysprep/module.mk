sysprep_srcs := $(wildcard sysprep/*.c sysprep/*/*.c)

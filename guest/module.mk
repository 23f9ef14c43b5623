guest_srcs := $(wildcard guest/*.c guest/*/*.c)
guest_pkgs := ext2fs com_err libguestfs hivex libarchive

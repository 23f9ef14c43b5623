repos_srcs := $(wildcard repos/*.c)
repos_pkgs := libcurl gpgme

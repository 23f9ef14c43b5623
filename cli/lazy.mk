# Libraries that are loaded only when they are called (see cli/lazy_stubs.S), as pkg-config and as the
# linker call them. Elsewhere than on x86-64, and under sanitizers, they are linked as usual.
ifeq ($(SAN)$(findstring x86_64,$(shell $(CC) -dumpmachine 2>/dev/null)),x86_64)
LAZY_PACKAGES := libguestfs hivex libcurl gpgme libnbd slirp libarchive libxml-2.0
LAZY_LIBS := libguestfs.so libhivex.so libcurl.so libgpgme.so libnbd.so libslirp.so+libglib-2.0.so libarchive.so libxml2.so
LAZY_OBJS := $(O)/cli/lazy_stubs.o $(O)/cli/lazy_load.o
endif

$(O)/cli/lazy_list.h: cli/lazy-list $(ARCHIVES)
	$(call say,GEN,$@)
	$(Q)cli/lazy-list $(ARCHIVES) -- $(LAZY_LIBS) >$@.tmp && mv -f $@.tmp $@

$(O)/cli/lazy_stubs.o: cli/lazy_stubs.S $(O)/cli/lazy_list.h
	$(call say,AS,$<)
	$(Q)$(CC) -c -I$(O)/cli $< -o $@

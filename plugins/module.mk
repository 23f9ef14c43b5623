# Parts with many libraries become shared objects: $(O)/lib/kiln/NAME.so, loaded as plugins/load.h
# says. Each is made of a few files of the layers. plugins/NAME.c stands for them in the program, and
# is linked before the archives, so that the files themselves are not taken from there. What the
# files need of kiln they find in the program, which exports just that: a second copy in each plugin
# would have variables of its own.

PLUGINS := appliance archive digest domain expand fetch nbd password regex registry slirp yaml

appliance_parts := $(wildcard guest/appliance/*.c)
archive_parts   := datasource/iso.c datasource/iso_read.c customize/unpack/tar.c customize/windows/iso.c
digest_parts    := base/digest_evp.c base/base64.c
domain_parts    := cli/domain.c
expand_parts    := $(addprefix image/,decoders.c xz.c gzip.c zstd.c qcow2_inflate.c)
fetch_parts     := $(addprefix repos/,download.c signature.c signature_home.c)
nbd_parts       := image/nbd.c
password_parts  := customize/account/password_hash.c
regex_parts     := customize/selinux/regex.c
registry_parts  := guest/inspect/registry.c
slirp_parts     := vmm/virtio/slirp.c
yaml_parts      := datasource/yaml_read.c

plugin_parts := $(foreach p,$(PLUGINS),$($(p)_parts:%.c=$(O)/%.o)) $(O)/plugins/abi.o
$(plugin_parts): KILN_CFLAGS += -fPIC
$(plugin_parts): plugins/module.mk

plugin_calls := $(PLUGINS:%=$(O)/plugins/%.o) $(O)/plugins/load.o
plugin_files := $(PLUGINS:%=$(O)/lib/kiln/%.so)
-include $(plugin_calls:.o=.d) $(O)/plugins/abi.d

# What the program exports.
$(O)/plugins/exports: plugins/symbols $(plugin_parts) $(plugin_calls) $(ARCHIVES)
	$(call say,GEN,$@)
	$(Q)plugins/symbols exports $(foreach p,$(PLUGINS),$($(p)_parts:%.c=$(O)/%.o) --) $(plugin_calls) $(ARCHIVES) >$@

# What a plugin exports.
define plugin_rule
$(O)/plugins/$(1).map: plugins/symbols $(O)/plugins/$(1).o $($(1)_parts:%.c=$(O)/%.o)
	$$(Q)plugins/symbols map $(O)/plugins/$(1).o $($(1)_parts:%.c=$(O)/%.o) >$$@
$(O)/lib/kiln/$(1).so: $(O)/plugins/$(1).map $($(1)_parts:%.c=$(O)/%.o) $(O)/plugins/abi.o
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(filter-out -pie,$$(KILN_LDFLAGS)) -shared -Wl,-soname,$(1).so -Wl,--version-script=$$< \
	    -o $$@ $$(filter %.o,$$^) -Wl,--as-needed $$(PKG_LIBS) && chmod go-w $$@
endef
$(foreach p,$(PLUGINS),$(eval $(call plugin_rule,$(p))))

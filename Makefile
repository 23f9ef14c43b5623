# kiln: one binary and its plugins, one Makefile. Each folder's module.mk names its sources and
# libraries.
#
#   make               the binary ./kiln
#   make demo          the main job end to end; sets up what it needs on Debian 12
#   make check-quick   unit tests, layers, format: under a minute, no virtual machine
#   make check         all of the main promises, with real machines
#   make check-long    what takes longer: parity with the peers, whole systems, clones
#   V=1 shows commands; O=DIR builds elsewhere; CC=clang works as well

MAKEFLAGS += --no-builtin-rules
.DELETE_ON_ERROR:
.SUFFIXES:

VERSION := 0.1.0
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
O       ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
BIN     ?= kiln
CFLAGS  ?= -O2 -g
SAN     ?=

# From the ground up: a folder may use those before it, as tests/check-layers enforces.
LAYERS := base image repos datasource guest vmm customize sysprep builder cli

include $(wildcard $(LAYERS:%=%/module.mk))

# Goals that only set up, clean or look must work before the libraries are there.
NO_LIBS_GOALS := deps demo clean check-layers check-format format base-images fresh check check-long check-asan fuzz bench
NEED_LIBS := $(filter-out $(NO_LIBS_GOALS),$(or $(MAKECMDGOALS),all))
PACKAGES := $(sort $(foreach l,$(LAYERS),$($(l)_pkgs)))
ifneq ($(NEED_LIBS),)
MISSING := $(shell for p in $(PACKAGES) cmocka; do pkg-config --exists $$p 2>/dev/null || echo $$p; done)
ifneq ($(strip $(MISSING)),)
$(error missing libraries: $(MISSING). On Debian 12, `make deps` as root installs everything in deps.txt; elsewhere install their development packages)
endif
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES))
endif

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wwrite-strings
HARDEN   := -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
ifneq ($(SAN),)
HARDEN   := -fPIE -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
KILN_CFLAGS := -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DKILN_VERSION='"$(VERSION)"' -I. \
               $(WARNINGS) $(HARDEN) -pthread $(PKG_CFLAGS) $(CFLAGS)
comma := ,
KILN_LDFLAGS := -pie -pthread $(if $(SAN),-fsanitize=$(SAN),-Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now) $(LDFLAGS)

# For goals that set up first and then build: with all processors unless told otherwise.
JOBS = --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

.PHONY: all
all: $(BIN)

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(KILN_CFLAGS) $($(subst /,_,$*)_cflags) -MMD -MP -c $< -o $@

# One archive a layer. It depends on its folders too, whose dates tell that a source was removed.
define layer_rules
$(1)_objs := $$($(1)_srcs:%.c=$(O)/%.o)
$(O)/lib$(1).a: $$($(1)_objs) $$(sort $$(dir $$($(1)_srcs)))
	@mkdir -p $$(@D)
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$($(1)_objs)
-include $$($(1)_objs:.o=.d)
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

# Archives in link order: the highest layer first. cli's main.o stays out of its archive, so that
# tests can link the rest.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
ARCHIVES := $(patsubst %,$(O)/lib%.a,$(call reverse,$(LAYERS)))

include plugins/module.mk

# Laid out as it will be installed: the program finds its plugins in ../lib/kiln.
$(O)/bin/kiln: $(O)/cli/main.o $(plugin_calls) $(ARCHIVES) $(O)/plugins/exports
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $(filter %.o %.a,$^) @$(O)/plugins/exports -Wl,--as-needed $(PKG_LIBS)
-include $(O)/cli/main.d

$(BIN): $(O)/bin/kiln $(plugin_files)
	$(Q)ln -sfr $< $@

include tests/module.mk docs/module.mk bench/module.mk

.PHONY: deps
deps:
	$(Q)tests/setup

.PHONY: demo
demo:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) all
	$(Q)tests/demo

.PHONY: base-images
base-images:
	$(Q)tests/setup
	$(Q)recipes/publish

.PHONY: install
install: all $(MANPAGES)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/kiln $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(O)/bin/kiln $(DESTDIR)$(PREFIX)/bin/kiln
	install -m 644 $(plugin_files) $(DESTDIR)$(PREFIX)/lib/kiln
	install -m 644 $(MANPAGES) $(DESTDIR)$(PREFIX)/share/man/man1

.PHONY: format
format:
	$(Q)git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

.PHONY: clean
clean:
	rm -rf build build-* kiln

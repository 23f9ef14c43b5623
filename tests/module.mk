# Tests. tests/unit/<layer>/test_*.c are cmocka programs that link their layer and those below it;
# tests/cli/*.t are TAP scripts that run the binary as a user would; tests/vm/*.t start virtual
# machines or libguestfs's appliance; tests/long/*.t do so for minutes each; tests/fuzz/fuzz_*.c are
# libFuzzer targets.

unit_srcs  := $(wildcard tests/unit/*/test_*.c)
unit_names := $(unit_srcs:tests/unit/%.c=%)
unit_bins  := $(unit_names:%=$(O)/unit/%)

# $(call upto,LAYER): archives of LAYER and those below it, in link order.
upto = $(patsubst %,$(O)/lib%.a,$(call reverse,$(call take_until,$(1),$(LAYERS))))
take_until = $(if $(filter $(1),$(firstword $(2))),$(1),$(firstword $(2)) $(call take_until,$(1),$(wordlist 2,$(words $(2)),$(2))))
layer_of = $(firstword $(subst /, ,$(1)))

define unit_rule
$(O)/unit/$(1): $(O)/tests/unit/$(1).o $(call upto,$(call layer_of,$(1)))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(KILN_LDFLAGS) -o $$@ $$^ -lcmocka $$(PKG_LIBS)
-include $(O)/tests/unit/$(1).d
endef
$(foreach t,$(unit_names),$(eval $(call unit_rule,$(t))))
.SECONDARY: $(unit_names:%=$(O)/tests/unit/%.o)

.PHONY: unit-bins unit
unit-bins: $(unit_bins)
unit: $(unit_bins)
	$(Q)tests/run $(sort $^)

# One layer's unit tests: make unit-image
define unit_layer_rule
.PHONY: unit-$(1)
unit-$(1): $$(filter $(O)/unit/$(1)/%,$$(unit_bins))
	$$(Q)tests/run $$(sort $$^)
endef
$(foreach l,$(LAYERS),$(eval $(call unit_layer_rule,$(l))))

.PHONY: check-layers check-format check-quick
check-layers:
	$(Q)tests/check-layers
check-format:
	$(Q)tests/check-format
check-quick: check-layers check-format all unit

# A script is found by its place. tests/run starts the slow ones first.
CLI_TESTS  := $(sort $(wildcard tests/cli/*.t))
VM_TESTS   := $(sort $(wildcard tests/vm/*.t))
LONG_TESTS := $(sort $(wildcard tests/long/*.t))

.PHONY: check check-run check-long check-long-run
check:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) check-run
check-run: all unit-bins base-images check-layers check-format
	$(Q)tests/run $(VM_TESTS) $(CLI_TESTS) $(sort $(unit_bins))

# What takes many minutes: parity with the peers, whole Debians in the emulated box, clones.
check-long:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) check-long-run
check-long-run: all unit-bins base-images
	$(Q)tests/run $(LONG_TESTS)

# Sanitizers over the unit and command-line tests.
.PHONY: check-asan asan-run
check-asan:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) O=build-asan BIN=build-asan/kiln-asan SAN=address,undefined CFLAGS='-O1 -g' asan-run
asan-run: all unit-bins base-images
	$(Q)ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1 \
	    KILN=$(CURDIR)/$(BIN) tests/run $(CLI_TESTS) $(sort $(unit_bins))

# Each target for FUZZ_SECONDS, from its committed corpus; new finds stay in build-fuzz/.
FUZZ_SECONDS ?= 60
fuzz_names := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_bins  := $(fuzz_names:%=$(O)/fuzz/%)

define fuzz_rule
$(O)/fuzz/$(1): $(O)/tests/fuzz/fuzz_$(1).o $(filter-out $(O)/libcli.a,$(call upto,cli))
	@mkdir -p $$(@D)
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(KILN_LDFLAGS) -fsanitize=fuzzer -o $$@ $$^ $$(PKG_LIBS)
endef
$(foreach t,$(fuzz_names),$(eval $(call fuzz_rule,$(t))))

.PHONY: fuzz fuzz-run fuzz-bins
fuzz:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) O=build-fuzz CC=clang SAN=fuzzer-no-link,address,undefined CFLAGS='-O1 -g' fuzz-run
fuzz-bins: $(fuzz_bins)
fuzz-run: $(fuzz_bins)
	$(Q)tests/fuzz/run $(FUZZ_SECONDS) $(fuzz_bins)

# `make demo` in a minimal Debian 12 root, to prove that it sets up everything by itself.
.PHONY: fresh
fresh:
	$(Q)tests/fresh

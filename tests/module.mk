# Tests. tests/unit/<layer>/test_*.c are cmocka programs that link their layer and those below it;
# tests/cli/*.t are TAP scripts that run the binary as a user would.

unit_srcs  := $(wildcard tests/unit/*/test_*.c)
unit_names := $(unit_srcs:tests/unit/%.c=%)
unit_bins  := $(unit_names:%=$(O)/unit/%)

# $(call upto,LAYER): archives of LAYER and what it may use, in link order.
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

.PHONY: unit-bins
unit-bins: $(unit_bins)

# One layer's unit tests: make unit-image
$(LAYERS:%=unit-%): unit-%: $(filter $(O)/unit/%,$(unit_bins))
.PHONY: $(LAYERS:%=unit-%)
$(foreach l,$(LAYERS),$(eval unit-$(l): $(filter $(O)/unit/$(l)/%,$(unit_bins))))
$(LAYERS:%=unit-%):
	$(Q)tests/run-unit $(filter $(O)/unit/%,$^)

# Manuals: scdoc turns docs/*.1.scd into man pages. The section on the changes to the guest is made
# from the table of operations, so that it cannot lag behind.

MANUALS  := $(sort $(wildcard docs/*.1.scd))
MANPAGES := $(MANUALS:%.scd=$(O)/%)

.PHONY: manuals
manuals: $(MANPAGES)

$(O)/docs/operations: $(O)/docs/operations.o $(call upto,customize)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $^ $(PKG_LIBS)
-include $(O)/docs/operations.d

$(O)/docs/operations.scd: $(O)/docs/operations
	$(Q)$< >$@

$(O)/docs/%.1: docs/%.1.scd $(O)/docs/operations.scd
	$(call say,SCDOC,$<)
	$(Q)command -v scdoc >/dev/null || { echo 'scdoc is missing: install the package scdoc' >&2; exit 1; }
	$(Q)sed -e '/^%operations%$$/{r $(O)/docs/operations.scd' -e 'd}' $< >$@.scd
	$(Q)scdoc <$@.scd >$@ && rm $@.scd

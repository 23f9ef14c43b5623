# Manuals: scdoc turns docs/*.1.scd into man pages. What stands in the program's own tables is made
# from them, so that it cannot lag behind: a line %operations% or %sysprep% stands for it.

MANUALS  := $(sort $(wildcard docs/*.1.scd))
MANPAGES := $(MANUALS:%.scd=$(O)/%)

.PHONY: manuals
manuals: $(MANPAGES)

$(O)/docs/operations: $(O)/docs/operations.o $(call upto,sysprep)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $^ $(PKG_LIBS)
-include $(O)/docs/operations.d

$(O)/docs/operations.scd: $(O)/docs/operations
	$(Q)$< customize >$@
$(O)/docs/sysprep.scd: $(O)/docs/operations
	$(Q)$< sysprep >$@

$(O)/docs/%.1: docs/%.1.scd $(O)/docs/operations.scd $(O)/docs/sysprep.scd
	$(call say,SCDOC,$<)
	$(Q)command -v scdoc >/dev/null || { echo 'scdoc is missing: install the package scdoc' >&2; exit 1; }
	$(Q)sed -e '/^%operations%$$/{r $(O)/docs/operations.scd' -e 'd}' \
	    -e '/^%sysprep%$$/{r $(O)/docs/sysprep.scd' -e 'd}' $< >$@.scd
	$(Q)scdoc <$@.scd >$@ && rm $@.scd

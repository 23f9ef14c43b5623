# Side by side with the peers in one run; figures are ratios. bench/RESULTS.md keeps them.
.PHONY: bench bench-run
bench:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) bench-run
bench-run: all base-images $(O)/bench/ext_bitmaps
	$(Q)bench/start
	$(Q)bench/build
	$(Q)bench/customize
	$(Q)bench/appliance
	$(Q)bench/sysprep
	$(Q)bench/vmm
	$(Q)bench/ext-bitmaps $(O)/bench/ext_bitmaps

$(O)/bench/ext_bitmaps: $(O)/bench/ext_bitmaps.o $(call upto,guest)
	$(call say,LINK,$@)
	$(Q)$(CC) $(KILN_LDFLAGS) -o $@ $^ $(PKG_LIBS)
-include $(O)/bench/ext_bitmaps.d

# Side by side with the peers in one run; figures are ratios. bench/RESULTS.md keeps them.
.PHONY: bench bench-run
bench:
	$(Q)tests/setup
	$(Q)$(MAKE) $(JOBS) bench-run
bench-run: all base-images
	$(Q)bench/build
	$(Q)bench/customize
	$(Q)bench/sysprep
	$(Q)bench/vmm

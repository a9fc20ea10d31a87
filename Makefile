# SPDX-License-Identifier: BSD-2-Clause
# The front door: installs what is missing, configures, and lets meson and ninja do the work.
#
#   make            build; the command is build/sluice
#   make run        a tour: the rules in memory, a disk on VT-d in QEMU, a guest with a VT-d, a disk for two
#   make test       everything that must pass, in minutes
#   make bench      how fast, against limits measured in the same run
#   make help       the rest

.DEFAULT_GOAL := all
.PHONY: all run test bench replay help deps format lint check exhaustive differential mutate fuzz clean
MAKEFLAGS += --no-print-directory
say = @printf '== %s\n' "$(1)"

# Each configuration is a build directory: $(call setup,DIRECTORY,COMPILER,MESON OPTIONS)
setup = @[ -f $(1)/build.ninja ] || CC=$(2) meson setup $(1) $(3) >$(1).log 2>&1 || { cat $(1).log; exit 1; }; rm -f $(1).log
build = @ninja -C $(1) $(2) >$(1)/make.log 2>&1 || { cat $(1)/make.log; exit 1; }
tests = @meson test -C $(1) --no-rebuild --print-errorlogs $(2)

SANITIZE := -Db_sanitize=address,undefined -Db_lundef=false

all: deps
	$(call say,building with gcc: build/sluice)
	$(call setup,build,gcc,)
	$(call build,build,)

run: all
	@build/sluice play --tour scenarios/tour.scn
	@echo
	@build/sluice play --machine=vtd --tour scenarios/tour_disk.scn
	@echo
	@build/sluice play --machine=vtd --tour scenarios/tour_viommu.scn
	@echo
	@build/examples/mediated-nvme --machine=vtd

test: deps check
	$(call say,tests with gcc$(comma) address and undefined-behaviour sanitizers)
	$(call setup,build-asan,gcc,$(SANITIZE))
	$(call build,build-asan,)
	$(call tests,build-asan,--suite sluice)
	$(call say,tests with gcc$(comma) optimised)
	$(call setup,build,gcc,)
	$(call build,build,)
	$(call tests,build,--suite sluice --no-suite slow)
	$(call say,tests with clang$(comma) optimised)
	$(call setup,build-clang,clang,)
	$(call build,build-clang,)
	$(call tests,build-clang,--suite sluice --no-suite slow)
	$(call say,tests of concurrency with the thread sanitizer)
	$(call setup,build-tsan,clang,-Db_sanitize=thread -Db_lundef=false)
	$(call build,build-tsan,)
	$(call tests,build-tsan,--suite threads)
	$(call say,static analysis)
	@tools/lint build-clang
	@tools/summary build-asan build build-clang build-tsan

comma := ,

check: deps
	$(call say,format$(comma) include direction$(comma) headers that compile alone$(comma) mutations that apply)
	@tools/check-format
	@tools/check-includes
	@tools/check-headers
	@tools/mutate --check

BENCHES := $(addprefix bench/bench-,pgtable m2b hypercall foreign iova viommu machine)

bench: deps
	$(call say,benches with gcc and clang; ratios to limits measured in the same run)
	$(call setup,build-bench-gcc,gcc,--buildtype=release)
	$(call setup,build-bench-clang,clang,--buildtype=release)
	$(call build,build-bench-gcc,$(BENCHES))
	$(call build,build-bench-clang,$(BENCHES))
	@tools/bench --json build-bench-gcc/bench.json build-bench-gcc build-bench-clang

replay: all
	@for trace in $(or $(TRACES),$(wildcard test/cli/data/short_*)); do for policy in strict deferred standing; do \
		build/sluice replay --policy=$$policy $$trace || exit 1; echo; done; \
		for policy in strict traced; do for through in viommu nested; do \
		build/sluice replay --through=$$through --policy=$$policy $$trace || exit 1; echo; done; done; done

exhaustive: deps
	$(call setup,build,gcc,)
	$(call build,build,)
	build/test/exhaustive/exhaustive --scope=$(or $(SCOPE),contexts) --depth=$(or $(DEPTH),8) --seconds=$(or $(SECONDS),3600)

differential: deps
	$(call setup,build,gcc,)
	$(call build,build,)
	@for subject in $(or $(SUBJECT),emulated assigned); do \
		echo "== $$subject"; build/test/differential/differential --subject=$$subject --seed=$(or $(SEED),1) \
		--seconds=$(or $(SECONDS),300) || exit 1; done

mutate: deps
	tools/mutate

fuzz: deps
	$(call setup,build-fuzz,clang,-Dfuzz=true)
	$(call build,build-fuzz,)
	for target in hypercall vtd-emul; do \
		build-fuzz/fuzz/fuzz-$$target -max_total_time=$(or $(SECONDS),600) -timeout=60 || exit 1; done

format: deps
	@git ls-files '*.[ch]' | xargs clang-format -i

lint: deps
	$(call setup,build-clang,clang,)
	$(call build,build-clang,)
	@tools/lint build-clang

deps:
	@tools/install-packages

clean:
	rm -rf build build-*

help:
	@echo 'make            build; the command is build/sluice'
	@echo 'make run        a tour: the rules in memory, a disk on VT-d in QEMU, a guest with a VT-d, a disk for two'
	@echo 'make test       everything that must pass, in minutes'
	@echo 'make bench      how fast, against limits measured in the same run'
	@echo "make replay TRACES='a.xz b.xz'   recorded maps and unmaps, in each way"
	@echo 'make check      format, include direction, headers that compile alone'
	@echo 'make lint       clang-tidy'
	@echo 'make format     lays the code out'
	@echo 'make exhaustive DEPTH=8 SECONDS=3600 SCOPE=frames   every sequence of calls in a small world, deeper'
	@echo 'make differential SECONDS=300 SEED=1   random programs on the emulated VT-d and on the one of QEMU'
	@echo 'make mutate     takes out one line after the other: a test must fail each time'
	@echo 'make fuzz SECONDS=600   hostile hypercalls, then a hostile driver of the emulated VT-d: so long each'
	@echo 'make clean'

# `make` brings what is needed (setup/) and builds everything; `make help` lists the rest. The real work is in setup/,
# CMakeLists.txt and test/run: this file only says how to call them.

BUILD := build
CMAKE_BUILD_TYPE ?= Release

# Says how far it is while it works, and nothing when there is nothing to do.
NINJA = ninja -C $(BUILD) -n $(1) | grep -q "no work to do" || ninja -C $(BUILD) $(1)

.DEFAULT_GOAL := all
.PHONY: all setup program run test asan fuzz stress load bench format clean distclean help

all: setup $(BUILD)/build.ninja  ## Build everything; the program is build/bin/schemascript
	@$(call NINJA,all)

# Quick and quiet when nothing is missing, so it may run each time.
setup:  ## Bring packages, WasmEdge, SQLite, QuickJS and node_modules; writes build/setup.cmake
	@setup/setup --out $(BUILD)

# Configures the first time. Later, ninja itself runs CMake again when one of its inputs changed.
$(BUILD)/build.ninja: | setup
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=$(CMAKE_BUILD_TYPE) --log-level=NOTICE

# What a first run waits for is the program, not its tests.
program: setup $(BUILD)/build.ninja  ## Build the program alone
	@$(call NINJA,schemascript guest-files)

run: program  ## Build the program and run the example: TypeScript that queries a SQLite file inside WasmEdge
	@$(BUILD)/bin/schemascript run examples/notes/app.ts --db $(BUILD)/notes.db --push

test: all  ## Build and run every test, or one part of them: make test PART=scenarios
	@BUILD=$(BUILD) test/run $(PART)

asan: all  ## The scenarios with a host that is built with AddressSanitizer and UBSan
	@BUILD=$(BUILD) test/run asan

fuzz: setup  ## Look for inputs that break the bridge: make fuzz FUZZ_SECONDS=600
	@BUILD=$(BUILD) test/fuzz/fuzz $(or $(FUZZ_SECONDS),60)

stress: all  ## Stop guests at random moments under load, in three builds: make stress STRESS_SECONDS=600
	@BUILD=$(BUILD) STRESS_SECONDS=$(or $(STRESS_SECONDS),60) test/run stress

load: all  ## Servers under a mixed load, and killed under it: make load LOAD_SECONDS=1800 LOAD_RATE=250
	@BUILD=$(BUILD) LOAD_SECONDS=$(or $(LOAD_SECONDS),60) LOAD_RATE=$(or $(LOAD_RATE),250) test/run load

bench: all  ## Build and run the benchmarks
	@bench/run all --build $(BUILD)
	@node bench/run.mjs --build $(BUILD)
	@node bench/bridge.mjs --build $(BUILD)
	@node bench/serve.mjs --build $(BUILD)

format:  ## Format C++ and TypeScript in place
	@git ls-files -co --exclude-standard '*.cc' '*.h' | xargs -r $$(command -v clang-format-19 || command -v clang-format || \
	  { echo "clang-format is missing: apt-get install clang-format-19" >&2; echo false; }) -i
	@npx --no-install prettier --write --log-level warn .

clean:  ## Remove what was built; the cache stays, so that building again is quick
	@rm -rf build build-*

distclean: clean  ## Remove node_modules as well, and say where the cache is
	@rm -rf node_modules
	@echo "The cache is left as it is. To remove it, too:"
	@echo "  rm -rf $${SCHEMASCRIPT_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/schemascript}"

help:  ## This list
	@sed -n 's/^\([a-z]*\):[^#]*## */  make \1\t/p' Makefile | expand -t 18

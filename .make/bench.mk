# SPDX-License-Identifier: MIT
# The benchmark: what plays Kinesis, and the floor that the extension's cost is compared with; and the way of a log line
# without the network, for counting its instructions.

BENCH_NEEDS = build/bench/kinesis_server build/bench/floor $(LAYER_HERE) build/venv/installed
INSTRUCTIONS_NEEDS = build/bench/hot_path build/venv/installed build/packages/instructions
INSTRUCTIONS_SUITE := --instructions
export BENCH_MB BENCH_ONLY BENCH_QUICK BENCH_RUNS
bench_objects = $(patsubst %.c,build/objects/dev/%.o,$(1))

build/objects/dev/src.a: $(LIBRARY_SOURCES:%.c=build/objects/dev/%.o)
	$(call archive)
build/bench/kinesis_server: $(call bench_objects,tests/bench/kinesis_server.c tests/bench/arrivals.c tests/bench/put_records.c) build/objects/dev/src.a
	$(call link,dev)
build/bench/floor: $(call bench_objects,tests/bench/floor.c) build/objects/dev/src.a
	$(call link,dev)
build/bench/hot_path: $(call bench_objects,tests/bench/hot_path.c tests/bench/put_records.c) build/objects/dev/src.a
	$(call link,dev)

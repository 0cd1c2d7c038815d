# GNU make.  make | make check | make bench | make install; see README.md.
# B=build/asan SAN=1 builds the same tree with the address and undefined-behaviour sanitizers.
B       ?= build
CC      ?= gcc
PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share/dt
PGINC   := $(shell pg_config --includedir 2>/dev/null)

# CalVer of the last commit, in UTC, unless BUILD_VERSION says otherwise.
BUILD_VERSION ?= $(shell TZ=UTC0 git log -1 --date=format-local:%Y.%-m.%-d.%H%M --format=%cd-%h 2>/dev/null || echo 0-unknown)

WARN     = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wvla -Wformat=2
OPT     ?= -O2 -g
CFLAGS  ?= $(OPT) -fno-strict-aliasing -fstack-protector-strong -fPIE
LDFLAGS ?= -pie -Wl,-z,relro,-z,now -Wl,--as-needed
CPPFLAGS = -std=gnu11 -D_GNU_SOURCE -DSHARE_DIR='"$(DATADIR)"' -Ilib -I$B/gen $(if $(PGINC),-I$(PGINC)) $(if $(SAN),,-D_FORTIFY_SOURCE=2)
LDLIBS   = -lm
ifdef SAN
CFLAGS  += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1
LDFLAGS += -fsanitize=address,undefined
endif
ifdef LIBFUZZER
CFLAGS  += -fsanitize=fuzzer-no-link
endif

TOOLS := $(notdir $(wildcard cmd/dt-*))
LIB_O := $(patsubst %.c,$B/%.o,$(wildcard lib/*/*.c)) $B/gen/version.o $B/gen/sql.o $B/gen/game_tables.o
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
FUZZ  := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
HELPERS := $(patsubst tests/helpers/%.c,%,$(wildcard tests/helpers/*.c))
BENCH := $(patsubst tests/bench/%.c,%,$(wildcard tests/bench/bench_*.c))

# What each tool links beyond libdt.a; a tool that is not named needs nothing more.
LIBS_dt-fanout = -ljq -lzstd
LIBS_dt-ingest = -lwebsockets -lz
LIBS_dt-store  = -lpq -lzstd
LIBS_dt-health = -lcurl
LIBS_dt-serve  = -lwebsockets -lpq -ljq -lz -lsqlite3 -lsodium -lpthread
LIBS_dt-sim    = -lwebsockets -lz
LIBS_dt-tap    = -ljq -lzstd
LIBS_dt-replay = -lzstd -lwebsockets -lz
LIBS_dt-user   = -lsqlite3 -lsodium -lpthread
LIBS_dt-alertd = -ljq -lzstd -lcurl
LIBS_test_event_diff = -lsimdjson -lstdc++
LIBS_test_event_diff_portable = $(LIBS_test_event_diff)
LIBS_TEST      = -lcheck -lsubunit -lrt -lpthread -ljansson -ljq -lzstd -lpq -lwebsockets -lz -lsqlite3 -lsodium -lcurl

all: $(TOOLS:%=$B/bin/%)

$B/%.o: %.c | $B/gen/sql.h
	@mkdir -p $(@D)
	@echo "  cc      $<"
	$Q$(CC) $(CPPFLAGS) $(WARN) $(CFLAGS) -MMD -MP -c -o $@ $<

$B/gen/%.o: $B/gen/%.c
	$Q$(CC) $(CPPFLAGS) $(WARN) $(CFLAGS) -c -o $@ $<

# V=1 shows the commands.
Q := $(if $V,,@)

# Rewritten only when the version changes, so that nothing else is built again.
$B/gen/version.c: FORCE
	@mkdir -p $(@D)
	@printf '#include "opt/opt.h"\nconst char build_version[] = "%s";\n' '$(BUILD_VERSION)' > $@.new
	@cmp -s $@.new $@ || cp $@.new $@
	@rm -f $@.new

# The statements of sql/queries as strings, so that psql and the programs run the same text.
$B/gen/sql.h: $(wildcard sql/queries/*.sql) scripts/sql2c.awk
	@mkdir -p $(@D)
	$Qawk -v header=1 -f scripts/sql2c.awk $(filter %.sql,$^) > $@

$B/gen/sql.c: $B/gen/sql.h
	$Qawk -f scripts/sql2c.awk $(wildcard sql/queries/*.sql) > $@

# The game's tables.
GAME_ROWS = spell=game_spell decal=game_decal rare=game_rare
$B/gen/game_tables.c: $(wildcard lib/game/data/*.tsv) lib/game/tables.h scripts/tsv2c.awk
	@mkdir -p $(@D)
	$Qawk -v header=game/tables.h -v row=game_row -v name='game_%s_rows' -v rows='$(GAME_ROWS)' -v pool=game_pool -f scripts/tsv2c.awk $(filter %.tsv,$^) > $@.new && mv $@.new $@

$B/gen/game_tables.o: lib/game/tables.h lib/game/game.h

# The simulator's tables.
$B/gen/sim_data.c: $(wildcard cmd/dt-sim/data/*.tsv) cmd/dt-sim/data.h scripts/tsv2c.awk
	@mkdir -p $(@D)
	$Qawk -v header=data.h -f scripts/tsv2c.awk $(filter %.tsv,$^) > $@.new && mv $@.new $@

$B/gen/sim_data.o: CPPFLAGS += -Icmd/dt-sim
$B/gen/sim_data.o: cmd/dt-sim/data.h
$B/bin/dt-sim: $B/gen/sim_data.o

$B/libdt.a: $(LIB_O)
	@rm -f $@
	$Q$(AR) rcs $@ $^

define tool
$B/bin/$(1): $(patsubst %.c,$B/%.o,$(wildcard cmd/$(1)/*.c)) $B/libdt.a
	@mkdir -p $$(@D)
	@echo "  link    $$@"
	$Q$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LIBS_$(1)) $$(LDLIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))

$B/tests/%: $B/tests/unit/%.o $B/libdt.a
	@mkdir -p $(@D)
	@echo "  link    $@"
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_TEST) $(LIBS_$*) $(LDLIBS)

# simdjson is the second opinion of the scanner's tests; it is C++.
$B/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  c++     $<"
	$Q$(CXX) -std=c++17 -Itests/unit -Wall -Wextra $(CFLAGS) -MMD -MP -c -o $@ $<

$B/tests/test_event_diff $B/tests/test_event_diff_portable: $B/tests/unit/simdjson_wrap.o

$B/bench/%: $B/tests/bench/%.o $B/libdt.a
	@mkdir -p $(@D)
	@echo "  link    $@"
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_TEST) $(LDLIBS)

# A fuzzer is also a test: replay.c feeds it its seed corpus.
$B/tests/test_fuzz_%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $B/libdt.a
	@mkdir -p $(@D)
	@echo "  link    $@"
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_TEST) $(LDLIBS)

$B/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libdt.a
	@mkdir -p $(@D)
	@echo "  link    $@"
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_TEST) $(LDLIBS)

$B/helpers/%: $B/tests/helpers/%.o $B/libdt.a
	@mkdir -p $(@D)
	@echo "  link    $@"
	$Q$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS_TEST) $(LDLIBS)

units: $(HELPERS:%=$B/helpers/%) $(UNITS:%=$B/tests/%) $(FUZZ:%=$B/tests/test_fuzz_%)
fuzzers: $(FUZZ:%=$B/fuzz/fuzz_%)

# Each fuzzer under libFuzzer for FUZZ_SECONDS (default 60).
fuzz:
	$(MAKE) B=build/fuzz CC=clang-14 SAN=1 LIBFUZZER=1 fuzzers
	tests/fuzz/run $(FUZZ:%=build/fuzz/fuzz/fuzz_%)

check: all units
	B=$B tests/run

bench: all $(BENCH:%=$B/bench/%)
	B=$B tests/bench/run

# What is generated of static/contract; a test sees when it is not current.
contract:
	scripts/event-formats.mjs > static/contract/EVENT_FORMATS.json.new
	mv static/contract/EVENT_FORMATS.json.new static/contract/EVENT_FORMATS.json

# What install puts where, source:target; uninstall takes the same away.  (Programs find sql/ and static/ below DATADIR.)
INSTALLED := $(foreach t,$(TOOLS),$B/bin/$t:$(BINDIR)/$t) \
	$(foreach m,$(wildcard man/*.[1-8]),$m:$(MANDIR)/man$(subst .,,$(suffix $m))/$(notdir $m)) \
	$(foreach f,$(shell find sql static -type f),$f:$(DATADIR)/$f) \
	$(foreach f,$(wildcard lib/rule/rules.d/*.rule),$f:$(DATADIR)/rules.d/$(notdir $f)) \
	scripts/completion.bash:$(DATADIR)/completion.bash

install: all
	@for pair in $(INSTALLED); do \
		mode=644; case $$pair in $B/bin/*) mode=755 ;; esac; \
		install -D -m $$mode "$${pair%%:*}" "$(DESTDIR)$${pair#*:}" || exit 1; \
	done

uninstall:
	@for pair in $(INSTALLED); do rm -f "$(DESTDIR)$${pair#*:}"; done
	@find "$(DESTDIR)$(DATADIR)" -depth -type d -empty -delete 2>/dev/null || true

clean:
	rm -rf build

FORCE:
.PHONY: all units fuzz fuzzers check bench contract install uninstall clean FORCE
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)

GOLANGCI_LINT_VERSION = v2.15.0
FUZZTIME ?= 30s

# The tests that take long: quick leaves them out.
LONG_ON_SQLITE = StoreConforms/SQLite/Merge|Races|Plans|Unprepared|StatementFails|MigrateOnce|RolledUp|RollupsAre
LONG = SideBySide|BordersAscend|AHundredThousand|ReportsConform/SQLite/Cells|HelpDeskAreTheSame|$(LONG_ON_SQLITE)

.PHONY: quick test test-engines lint docs fuzz cover links mutants mutants-engines
.PHONY: bench bench-tables bench-long bench-growth bench-shards

# Between two edits: less than half a minute.
quick:
	@echo "leaves out PostgreSQL, MariaDB, sqlstore/sqltest/faults, and $(LONG)"
	go vet work
	@CONVO_POSTGRES_DSN= CONVO_MARIADB_DSN= go test -short -vet=off -skip '$(LONG)' \
		$$(scripts/modules packages | grep -v /sqltest/faults)

test: links
	go vet work
	go test work
	go test -race work
	@skipped=; \
	[ "$$CONVO_POSTGRES_DSN" ] || skipped=" PostgreSQL"; \
	[ "$$CONVO_MARIADB_DSN" ] || skipped="$$skipped MariaDB"; \
	[ -z "$$skipped" ] || echo "skipped:$$skipped; to test there too: make test-engines"

# Starts PostgreSQL and MariaDB for the time of the tests, and installs them if need be. The race
# detector runs what has several goroutines: on servers the races, what shares a transaction, and
# those parts of the suite for stores. All the rest runs without it, and on SQLite, which it makes
# slower by an order of magnitude, the whole suite; that is what go test work runs, so here it is
# left out.
test-engines:
	scripts/engines --fast --with-patroni run -- make --no-print-directory on-engines

WITH_OTHERS = Races|Merge|Unmerge|Move|Erase|Prune|Locked|LockDue
RACED = TestStoreConforms$$/./^($(WITH_OTHERS))$$|TestRaces|TestWhoShares|TestAnAnswer
# What takes long in one goroutine, and programs that take long: to import and report in one, or
# because they are started and waited for.
ONE_AT_A_TIME = EverySequence|WorkingTimeIs|ReportsConform|Run[A-Za-z]*Fails|BordersAscend|ALeaderboard|AHundredThousand
ALONE = /examples/apps/movein$$ /examples/apps/report$$ /examples/apps/internal/eventlog$$ \
	/examples/apps/livechat$$
# What has no goroutines of its own, and what is measured.
ONE_GOROUTINE = /dialogflow$$ /workflow$$ /report$$ /report/workhours$$ /internal/[a-z]*$$ \
	/cloudevents$$ /bench$$ /bench/.*$$ /sqltest/[a-z]*$$
SHARDS = TestShards.*Conform|TestReportsOfShards
SKIP_SQLITE = CONVO_SKIP_SQLITE="go test work tests SQLite"
# The dialect for MySQL, on MariaDB's server: a little of it here, all of it at night.
SKIP_MYSQL = CONVO_SKIP_MYSQL="mysql-on-engines tests it, and scripts/nightly"
MYSQL = ^(TestStoreConforms$$|TestRacesLeave)/^MySQL$$
SQLTEST = ./sqlstore/sqltest
OTHERS = $(SKIP_SQLITE) $(SKIP_MYSQL) go test -short -count=1 -parallel 5 -timeout 20m
# Nearly half of what others-on-engines takes, to be run beside the rest.
BESIDE = TestPlans|TestFew|TestAC
.PHONY: on-engines raced-on-engines beside-on-engines others-on-engines mysql-on-engines
on-engines:
	@echo "$$(scripts/modules packages | wc -l) packages"
	@echo "leaves to scripts/nightly: the race detector for $(ALONE), $(ONE_GOROUTINE)," \
		"$(ONE_AT_A_TIME)," \
		"pages, TestAnAnswer on SQLite, and the suite for stores but $(WITH_OTHERS);" \
		"the dialect MySQL but for $(MYSQL);" \
		"on the servers TestStoreConformsUnpreparedWithAPrefix, ByTheSharedStatement, WithAnOutbox" \
		"and both suites ThroughPgBouncer, $(SHARDS), a move that is killed at each of its calls," \
		"Galera," \
		"long races, four in five of the steps at which calls meet," \
		"two in three of the calls that fail and of the reports that are compared"
	CONVO_SKIP_BROWSER="go test work tries the pages" go test -race -short -count=1 \
		-skip '$(ONE_AT_A_TIME)' \
		$$(scripts/modules packages | tac | \
			grep -v -e /sqltest$$ -e /sqltest/faults$$ $(ALONE:%=-e %) $(ONE_GOROUTINE:%=-e %))
	$(SKIP_SQLITE) CONVO_SKIP_BROWSER="go test work tries the pages" go test -short -count=1 \
		$$(scripts/modules packages | grep $(ALONE:%=-e %))
	@$(MAKE) --no-print-directory -j 3 --output-sync=target raced-on-engines others-on-engines \
		beside-on-engines mysql-on-engines

# The first keeps the processor busy, the others wait for servers: side by side they take little
# more than the longest one.
raced-on-engines:
	$(SKIP_MYSQL) go test -race -short -count=1 -parallel 5 -timeout 20m -run "$(RACED)" \
		-skip 'TestStoreConforms/SQLite|TestAnAnswer.*/SQLite' $(SQLTEST)

others-on-engines:
	$(OTHERS) -skip '$(BESIDE)|TestStoreConforms[A-Z]|$(SHARDS)|AMoveThatIsKilled|Galera|ReportsConformThrough|TestRaces|TestWhoShares|TestAnAnswer' \
		$(SQLTEST)/...

beside-on-engines:
	$(OTHERS) -run "$(BESIDE)" $(SQLTEST)/...

mysql-on-engines:
	go test -short -count=1 -parallel 5 -timeout 20m -run '$(MYSQL)' $(SQLTEST)

lint:
	@command -v golangci-lint >/dev/null || \
		go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
	scripts/modules each golangci-lint run ./...

docs:
	go test . -run TestDocs -update
	go test ./report -run TestDocs -update

fuzz:
	@echo "$$(scripts/modules packages | wc -l) packages"
	@scripts/modules packages | while read -r pkg; do \
		grep -hos '^func Fuzz[[:alnum:]]*' "$$(go list -f '{{.Dir}}' "$$pkg")"/*_test.go | \
			cut -c6- | while read -r target; do \
			echo "$$pkg $$target"; go test "$$pkg" -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) || exit 1; \
		done || exit 1; \
	done

# Comparisons with code by hand, in less than five minutes. PostgreSQL and MariaDB are started for
# the time of the run, and wait for the disk. OUT=FILE appends each round's figures, for benchstat.
OUT ?=
FIGURES = $(if $(OUT),-out $(abspath $(OUT)))
ENGINES = scripts/engines run -- sh -c
bench:
	cd bench && go run . -rounds 3 -for 100ms -conversations 200000 $(FIGURES)
	@echo
	@$(ENGINES) 'cd bench && go run ./sql $(FIGURES)'

# The tables of docs/performance.md, in less than twenty minutes.
bench-tables:
	@cd bench && go run . $(FIGURES)
	@echo
	@$(ENGINES) 'cd bench && go run ./sql -tables $(FIGURES)'

# All rows, timers and imports: half an hour.
bench-long:
	cd bench && go run . $(FIGURES)
	@echo
	@$(ENGINES) 'cd bench && go run ./sql -long $(FIGURES) && echo && go run ./import'

# With up to a million conversations in the tables; ten million: -lean -n 10000000.
bench-growth:
	@$(ENGINES) 'cd bench && go run ./sql -growth $(FIGURES)'

# What it costs to spread workspaces over three servers of PostgreSQL, each started in its turn.
SHARDS_AT ?=
bench-shards:
ifneq ($(words $(SHARDS_AT)),3)
	@scripts/engines --only postgres run -- sh -c \
		'$(MAKE) --no-print-directory bench-shards SHARDS_AT="$(SHARDS_AT) $$CONVO_POSTGRES_DSN"'
else
	cd bench && go run ./sql -shards "$(SHARDS_AT)" $(FIGURES)
endif

# At least 95 % of the statements of root and memstore, by their own tests and the suite for stores.
cover:
	@go test -short -coverpkg=.,./memstore -coverprofile=cover.out . ./memstore ./storetest
	@go tool cover -func=cover.out | awk 'END { print; if ($$3 + 0 < 95) { print "less than 95 %"; exit 1 } }'

# Takes guards out on purpose, and sees the tests turn red.
mutants:
	scripts/mutants

# The guards of PostgreSQL and MariaDB, on servers as for test-engines.
mutants-engines:
	scripts/engines --fast run -- scripts/mutants --engines

# What a user links: with root, workflow, dialogflow and relay the standard library and google/uuid; with memstore also x/exp/stats, for
# the percentiles of reports; with sqlstore also goose and a histogram; never a driver, nor testing.
MODULE = github.com/chatlifecycle/convo
GOOSE = github.com/pressly/goose/v3\(/.*\)\? github.com/mfridman/interpolate github.com/sethvargo/go-retry \
	go.uber.org/multierr golang.org/x/sync/errgroup
STATS = golang.org/x/exp/stats
links:
	@$(call linksonly,. ./workflow ./dialogflow ./relay)
	@$(call linksonly,./report ./memstore ./shardstore,$(STATS))
	@$(call linksonly,./sqlstore,$(STATS) $(GOOSE) github.com/HdrHistogram/hdrhistogram-go)
	@$(call linksonly,./convotest,$(STATS) $(GOOSE) github.com/HdrHistogram/hdrhistogram-go \
		github.com/benbjohnson/clock)

define linksonly
bad=$$(go list -deps -f '{{if or (not .Standard) (eq .ImportPath "testing")}}{{.ImportPath}}{{end}}' $(1) | \
	grep -v -x -e 'github.com/google/uuid' -e '$(MODULE)\(/.*\)\?' $(foreach p,$(2),-e '$(p)')); \
if [ -n "$$bad" ]; then echo "who imports $(1) would link:"; echo "$$bad"; exit 1; fi
endef

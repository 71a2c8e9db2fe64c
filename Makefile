# Verbs of the project; `make help` lists them. CI calls these and nothing else.

export CGO_ENABLED = 0
# What tests, lint and packages compile is then the same, and is compiled once.
export GOFLAGS := $(GOFLAGS) -trimpath

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# The version comes from the linker's flag; Go's own stamp fails in a clone of another user's.
BUILD    := go build -buildvcs=false
FUZZTIME ?= 30s
SYSTEMS  := linux/amd64 linux/arm64 linux/arm linux/riscv64 linux/ppc64le linux/s390x windows/amd64 windows/arm64 \
            darwin/amd64 darwin/arm64 freebsd/amd64 openbsd/amd64 netbsd/amd64 dragonfly/amd64

.DEFAULT_GOAL := help
.PHONY: help deps build demo test test-user test-full test-root test-race fuzz bench bench-quick bench-go lint vulncheck cross package image repo test-packages test-repo test-deploy test-consumers test-windows test-health clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## fetch what build, tests, demo and packages use (as root also tcpdump, tshark, nftables, ss, ping, gpg, wixl, msibuild)
	@./deps.sh

build: ## build bin/rpcapd and bin/rpcap-sensor
	@$(BUILD) -ldflags '$(LDFLAGS)' -o bin/ ./cmd/rpcapd ./cmd/rpcap-sensor

demo: deps build ## agent and sensor on real traffic, in namespaces of their own
	@$(BUILD) -o bin/demo ./test/demo
	@./bin/demo

# What is installed on this machine is hidden from the tests (test/fresh), which says at its end how long they took.
FRESH := go run -buildvcs=false ./test/fresh
# The longest first, so that no processor waits at the end.
TESTED := ./test/system ./test/packages ./...

test: build ## all tests; those that need namespaces make their own, as root or not
	@$(FRESH) go test -count=1 $(TESTED)
	@go run -buildvcs=false ./test/netlab/probe

test-user: ## all tests as an ordinary user, also when root calls it
	@$(FRESH) -user go test -count=1 $(TESTED)
	@go run -buildvcs=false ./test/netlab/probe

test-full: build ## the same with full counts, every repetition and all packages: 10 minutes, on a machine with nothing else to do
	SYSTEM_LOAD=full $(FRESH) go test -count=1 -timeout 30m $(TESTED)

test-root: build ## only the tests that need namespaces; fail instead of skipping
	REQUIRE_ROOT=1 $(FRESH) go test -count=1 -run '^TestRoot' ./...

# With the race detector, which needs cgo and a C compiler, programs take five to ten times the time. So it runs over the
# packages that have goroutines, which the pure ones have not, and over those tests with whole programs that are about sessions,
# reload, outputs, NAT and shutdown. The others are left out: they measure what a loaded machine still forwards, wait for the
# agent's limit of CPU time, or repeat what these do with other frames; TestRootReloadWithoutRoot needs an agent without cgo, which
# gives up root without another execution. The first race ends a program or a test, and fails it.
RACE_PACKAGES = ./agent ./backoff ./capture ./cmd/... ./config ./filelock ./iface ./sensor/... ./tlsfiles ./udpsock
RACE_SYSTEM = ^TestRoot(SeveralSessions|Dedup|NAT|PortChangedOnTheWay|InterfaceComesAndGoes|WaitingLine|AddressMoves|Reload|ReloadFilterUnderTraffic|ReloadFilterChooses|ReloadRemovesRule|ReloadOutputsUnderTraffic|Terminate|TerminateUnheard|PcapOverIP|PcapOverIPReload|TAPFrameForFrame|TAPDeleted|CaptureAgents|CaptureSignal|LivePipe|ReaderLeaves|Status)$$

test-race: export RACE_SYSTEM := $(RACE_SYSTEM)
test-race: ## the tests of what has goroutines with the race detector (needs gcc), within 10 minutes
	@TOOLS="gcc:gcc gcc:libc6-dev" ./deps.sh
	@command -v gcc >/dev/null || { echo "test-race: the race detector needs gcc, which could not be installed"; exit 1; }
	CGO_ENABLED=1 GORACE=halt_on_error=1 $(FRESH) timeout 10m sh -c \
	  'go test -race -count=1 $(RACE_PACKAGES) && go test -race -count=1 -run "$$RACE_SYSTEM" ./test/system'

test-health: ## health page, metrics and alerts of the sensor with a real Prometheus and Chromium (fetches both)
	@TOOLS="promtool:prometheus chromium:chromium" ./deps.sh
	TEST_HEALTH=1 go test -count=1 -v -run '^Test(Browser|Prom)' ./sensor/health ./cmd/rpcap-sensor

# Making new inputs small may take a minute each, and go test fails when the time is over meanwhile.
# The fuzzer of go test now and then fails with nothing but "context deadline exceeded" when its time is up; only an
# input that it has written down is a finding.
fuzz: ## run each fuzz target for FUZZTIME (default 30s)
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; for p in $$(go list ./...); do \
	  names=$$(go test -list '^Fuzz' $$p) || { echo "$$names"; exit 1; }; \
	  for f in $$(echo "$$names" | grep '^Fuzz'); do \
	    echo "== $$p $$f"; \
	    go test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p >"$$log" 2>&1; status=$$?; \
	    grep -v 'elapsed:' "$$log"; grep 'elapsed:' "$$log" | tail -1; \
	    [ $$status = 0 ] || { grep -q 'context deadline exceeded' "$$log" && ! grep -q 'Failing input written' "$$log"; } || exit 1; \
	  done; \
	done

bench: build ## measure cost, loss and delay of agent and sensor (15 minutes); writes docs/PERFORMANCE.md
	@$(BUILD) -o bin/bench ./test/bench
	@$(BUILD) -ldflags '-X main.version=$(VERSION)' -o bin/symbols/ ./cmd/rpcapd
	@./bin/bench -symbols bin/symbols -document docs/PERFORMANCE.md

bench-quick: build ## the same in two minutes, roughly; writes no document
	@$(BUILD) -o bin/bench ./test/bench
	@$(BUILD) -ldflags '-X main.version=$(VERSION)' -o bin/symbols/ ./cmd/rpcapd
	@./bin/bench -quick -symbols bin/symbols

bench-go: ## Go benchmarks of single functions
	go test -run '^$$' -bench . -benchmem ./...

# errcheck: an error of these is of no use, because the resource is given up or the text goes to a user. Everywhere else an
# ignored error is written as _ = with the reason. Tests may ignore errors.
NO_ERRCHECK := ^([Cc]lose|Remove|RemoveAll|Fprint|Fprintf|Fprintln)$$

lint: ## gofmt, vet, staticcheck, errcheck, revive, misspell, import rule
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "gofmt -w is needed for:"; echo "$$unformatted"; exit 1; fi
	@go vet ./...
	@go tool staticcheck ./...
	@go tool errcheck -ignoretests -ignore '$(NO_ERRCHECK)' ./...
	@go tool revive -set_exit_status -config test/lint/revive.toml ./...
	@go tool misspell -error -i adress *
	@go test -count=1 ./test/imports
	@echo "lint: clean"

vulncheck: ## known vulnerabilities in what the programs call (needs https://vuln.go.dev)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./cmd/...

# Vetting compiles the tests too; linking them shows what the compiler does not see, such as a missing assembly function. Both is done
# once for a system, and on linux/arm, where an int has 32 bits: further processors differ from these in what go build shows.
TESTED_SYSTEMS := linux/arm linux/arm64 windows/amd64 darwin/arm64 freebsd/amd64 openbsd/amd64 netbsd/amd64 dragonfly/amd64

cross: ## compile the programs for every supported system, and vet, compile and link all tests for one of each kind
	@for t in $(SYSTEMS); do \
	  export GOOS=$${t%/*} GOARCH=$${t#*/}; \
	  case " $(TESTED_SYSTEMS) " in \
	    *" $$t "*) echo "$$t, with its tests"; \
	      go build -buildvcs=false -ldflags '-s -w' ./... && go vet ./... && go test -c -vet=off -ldflags '-s -w' -o /dev/null ./... || exit 1;; \
	    *) echo "$$t"; go build -buildvcs=false -ldflags '-s -w' ./... || exit 1;; \
	  esac; \
	done

package: ## deb, rpm, apk, tar.gz, and for Windows msi and zip, of both programs; archives for FreeBSD, OpenBSD and macOS (no root; reproducible)
	@go run -buildvcs=false ./packaging/build

repo: ## apt and rpm repository in repo/ from the packages in dist/, signed with REPO_KEY, for REPO_URL (docs/REPOSITORY.md)
	@go run -buildvcs=false ./packaging/repo

# REPOSITORY is the prefix of the names in them: make image REPOSITORY=registry.example.com/net
image: ## container images of both programs for all architectures, in dist/images (no container engine, no root; reproducible)
	@go run -buildvcs=false ./packaging/build -o dist/images -formats image -repository '$(REPOSITORY)'

PACKAGE_TOOLS := debootstrap:debootstrap systemd-nspawn:systemd-container rpm:rpm lintian:lintian rpmlint:rpmlint mandoc:mandoc xz:xz-utils

test-packages: ## install, upgrade, boot and remove the packages on Debian 12 and 13 (root; keeps systems in ~/.cache/rpcapd-test)
	@TOOLS="$(PACKAGE_TOOLS)" ./deps.sh
	TEST_PACKAGES=1 go test -count=1 -timeout 40m -v ./packaging/... ./test/packages

test-repo: ## install and upgrade from a repository with apt on Debian 12 and 13, and with dnf; what is tampered with is refused (root)
	@TOOLS="debootstrap:debootstrap" ./deps.sh
	TEST_PACKAGES=1 go test -count=1 -timeout 30m -v -run '^TestRepo' ./test/packages

.PHONY: docs test-docs
docs: ## make a site of the documentation in bin/site: static, offline, without scripts; the same pages give the same bytes
	@go run -buildvcs=false ./packaging/site -o bin/site -version '$(VERSION)'

test-docs: ## run and parse every command block of the documentation, with those that take minutes
	@./deps.sh
	TEST_DOCS=1 REQUIRE_ROOT=1 go test -count=1 -timeout 40m -v ./test/docs ./packaging/page
	go test -count=1 -run '^TestDocumented' ./cmd/rpcapd ./cmd/rpcap-sensor

test-consumers: ## tcpreplay, tcpdump and Suricata 7 of Debian 13 with the TAP interface (root; keeps a system in ~/.cache/rpcapd-test)
	@TOOLS="debootstrap:debootstrap" ./deps.sh
	TEST_CONSUMERS=1 go test -count=1 -v ./test/consumers

# helm, kubectl-validate, terraform and crane are no modules of ours: they are built into ~/.cache/rpcapd-test/tools once, in some minutes.
test-deploy: ## images run by podman; manifests, chart, Terraform modules, user data and the Ansible role checked and tried (root; keeps tools in ~/.cache/rpcapd-test)
	@TOOLS="podman:podman crun:crun debootstrap:debootstrap systemd-nspawn:systemd-container" ./deps.sh
	TEST_DEPLOY=1 go test -count=1 -timeout 30m -v ./test/deploy
	TEST_PACKAGES=1 go test -count=1 -timeout 30m -v -run '^TestCloud' ./test/packages

test-windows: ## all tests that concern Windows, under wine in Debian 13 (root; keeps a system in ~/.cache/rpcapd-test)
	@TOOLS="debootstrap:debootstrap osslsigncode:osslsigncode" ./deps.sh
	TEST_WINDOWS=1 REQUIRE_ROOT=1 go test -count=1 -timeout 60m -v ./test/windows

clean: ## remove what was built
	rm -rf bin dist

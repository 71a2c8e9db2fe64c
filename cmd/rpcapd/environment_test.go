package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"rpcapd/cmd/internal/environment"
	"rpcapd/config"
)

// inEnvironment is the configuration of a command line with variables; path is the ini, empty for none.
func inEnvironment(t *testing.T, path string, environ, args []string) (*settings, config.Agent, string) {
	t.Helper()
	_, _, _, s := cli(t, args...)
	if err := s.readEnvironment(environ); err != nil {
		return s, config.Agent{}, err.Error()
	}
	var data []byte
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	cfg, problems := s.parse(path, data)
	if err := problems.Err(); err != nil {
		return s, cfg, err.Error()
	}
	return s, cfg, ""
}

// TestEnvironmentAlone: an agent runs without an ini and without flags.
func TestEnvironmentAlone(t *testing.T) {
	s, cfg, problem := inEnvironment(t, "", []string{
		"RPCAPD_SENSOR=sensor.example", "RPCAPD_PORT=2010", "RPCAPD_IFNAME=eth0", "RPCAPD_IFADDR=10.0.0.0/8", "RPCAPD_FANOUT=2",
		"RPCAPD_NULL_AUTH_PERMIT=YES", "RPCAPD_MAX_RATE=10M", "RPCAPD_LOG_LEVEL=debug", "RPCAPD_LOG_FORMAT=json", "RPCAPD_RUN_DIR=/run/x",
		"RPCAPD_RING=1M", "RPCAPD_DRY_RUN=yes", "RPCAPD_NODE_NAME=node", "RPCAPD_OPTIONS=",
	}, nil)
	if problem != "" || len(cfg.Targets) != 1 {
		t.Fatal(problem, cfg)
	}
	target := cfg.Targets[0]
	if target.String() != "sensor.example, 2010, ifname=eth0, ifaddr=10.0.0.0/8, fanout=2" || target.Line != 0 ||
		target.From != "environment RPCAPD_SENSOR, RPCAPD_PORT, RPCAPD_IFNAME, RPCAPD_IFADDR, RPCAPD_FANOUT" {
		t.Errorf("%+v", target)
	}
	if !cfg.NullAuth || cfg.MaxRate != 10e6 || cfg.RingBytes != 1<<20 || s.logs.Level != "debug" || s.logs.Format != "json" || s.runDir != "/run/x" || !s.dryRun {
		t.Errorf("%+v %+v", cfg, s)
	}
	s.defaultFile = filepath.Join(t.TempDir(), "none.ini")
	if path, err := s.source(); err != nil || path != "" {
		t.Errorf("source %q, %v", path, err)
	}
}

// TestEnvironmentWins over the file, and flags win over both.
func TestEnvironmentWins(t *testing.T) {
	ini := writeFile(t, "rpcapd.ini", "ActiveClient = 192.0.2.1, 2003, ifname=eth1\nActiveClient = 192.0.2.2\nNullAuthPermit = YES\nMaxRate = 1M\nMaxCPU = 10\nUser = one\n")
	environ := []string{"RPCAPD_ACTIVE_CLIENT=192.0.2.3, 2004, ifname=eth2\n192.0.2.4", "RPCAPD_MAX_RATE=2M", "RPCAPD_USER=two", "RPCAPD_LOG_LEVEL=warn", "RPCAPD_NULL_AUTH_PERMIT=NO"}
	s, cfg, problem := inEnvironment(t, ini, environ, []string{"--log-level", "error", "--user", "three"})
	if problem != "" || len(cfg.Targets) != 2 || cfg.Targets[0].String() != "192.0.2.3, 2004, ifname=eth2" || cfg.Targets[1].Host != "192.0.2.4" {
		t.Fatal(problem, cfg.Targets)
	}
	if cfg.MaxRate != 2e6 || cfg.MaxCPU != 10 || cfg.NullAuth || cfg.User != "three" || s.logs.Level != "error" {
		t.Errorf("%+v, log level %s", cfg, s.logs.Level)
	}
	_, cfg, problem = inEnvironment(t, "", environ, []string{"-n", "-a", "192.0.2.9", "-i", "eth9"})
	if problem != "" || len(cfg.Targets) != 1 || cfg.Targets[0].Host != "192.0.2.9" || cfg.Targets[0].Select.Name != "eth9" || !cfg.NullAuth || cfg.MaxRate != 2e6 {
		t.Errorf("%s %+v", problem, cfg)
	}
	_, cfg, problem = inEnvironment(t, "", []string{"RPCAPD_SENSOR=192.0.2.3", "RPCAPD_IFNAME=eth2"}, []string{"-i", "eth9"})
	if problem != "" || len(cfg.Targets) != 1 || cfg.Targets[0].Select.Name != "eth9" {
		t.Errorf("%s %+v", problem, cfg.Targets)
	}
}

// TestEnvironmentRefused: what is wrong with a variable is an error with its name. Nothing of it is passed over.
func TestEnvironmentRefused(t *testing.T) {
	empty := writeFile(t, "empty.txt", "# none\n")
	large := writeFile(t, "large.txt", strings.Repeat("x", 1<<17))
	for _, c := range []struct{ environ, want string }{
		{"RPCAPD_IFNMAE=eth0", "environment RPCAPD_IFNMAE: unknown variable; did you mean RPCAPD_IFNAME?"},
		{"RPCAPD_SENSOR=x RPCAPD_IFNAME=", "environment RPCAPD_IFNAME: the value is empty"},
		{"RPCAPD_IFNAME=eth0", "environment RPCAPD_IFNAME: it is part of the line that RPCAPD_SENSOR=HOST begins"},
		{"RPCAPD_SENSOR=x RPCAPD_ACTIVE_CLIENT=y", "environment RPCAPD_SENSOR and RPCAPD_ACTIVE_CLIENT: each names sensors"},
		{"RPCAPD_SENSOR=x RPCAPD_IFADDR=10.0.0.0/33", "environment RPCAPD_SENSOR, RPCAPD_IFADDR: ifaddr"},
		{"RPCAPD_SENSOR=x RPCAPD_IFNAME=eth0,eth1", "unknown option"},
		{"RPCAPD_MAX_RATE=fast", "environment RPCAPD_MAX_RATE: MaxRate"},
		{"RPCAPD_MAX_RATE=1M\n2M", "environment RPCAPD_MAX_RATE: 2 lines; write one value"},
		{"RPCAPD_LOG_LEVEL=loud RPCAPD_CPU=first", `environment RPCAPD_CPU: "first"`},
		{"RPCAPD_ACCOUNT=sensor,$2a$11$secret", "environment RPCAPD_ACCOUNT: hashes of passwords do not belong into the environment"},
		{"RPCAPD_ACCOUNT_FILE=" + filepath.Join(t.TempDir(), "none"), "environment RPCAPD_ACCOUNT_FILE: "},
		{"RPCAPD_ACCOUNT_FILE=" + empty, "environment RPCAPD_ACCOUNT_FILE: 0 lines"},
		{"RPCAPD_ACCOUNT_FILE=" + large, "larger than 65536 bytes"},
		{"RPCAPD_LENIENT=YES RPCAPD_ACTIVE_CLIENT=x,2003,ifnmae=eth0", "did you mean ifname?"},
	} {
		_, cfg, problem := inEnvironment(t, "", strings.Split(c.environ, " "), nil)
		if !strings.Contains(problem, c.want) {
			t.Errorf("%q: %q, want %q; %+v", c.environ, problem, c.want, cfg)
		}
		if strings.Contains(problem, "secret") {
			t.Errorf("%q: a secret is shown: %s", c.environ, problem)
		}
	}
}

// TestEnvironmentAccounts: a file as rpcapd passwd prints it. Neither check nor log shows more than its path.
func TestEnvironmentAccounts(t *testing.T) {
	account, err := config.NewAccount("sensor1", "word")
	if err != nil {
		t.Fatal(err)
	}
	file := writeFile(t, "account.txt", "# comment\n"+account.Setting()+"\n")
	s, cfg, problem := inEnvironment(t, "", []string{"RPCAPD_SENSOR=x", "RPCAPD_ACCOUNT_FILE=" + file}, nil)
	if problem != "" || len(cfg.Accounts) != 1 || !cfg.Authenticate("sensor1", "word") {
		t.Fatal(problem, cfg.Accounts)
	}
	var b strings.Builder
	s.printEnvironment(&b)
	if strings.Contains(b.String(), "$2a$") || !strings.Contains(b.String(), file) {
		t.Error(b.String())
	}
}

// TestEnvironmentCheck: check shows each variable, and where a line comes from.
func TestEnvironmentCheck(t *testing.T) {
	var out strings.Builder
	a := &app{out: &out, err: &out, defaultFile: filepath.Join(t.TempDir(), "none.ini")}
	if err := a.check(a.defaultFile, []string{"RPCAPD_SENSOR=192.0.2.1", "RPCAPD_NULL_AUTH_PERMIT=YES", "RPCAPD_LOG_LEVEL=debug"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"environment RPCAPD_NULL_AUTH_PERMIT: NullAuthPermit = YES\n", "environment RPCAPD_SENSOR: ActiveClient = 192.0.2.1\n",
		"environment RPCAPD_LOG_LEVEL: --log-level debug\n", "environment: good, 1 sensor line\n", "environment RPCAPD_SENSOR: connects to 192.0.2.1:2003; ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in:\n%s", want, out.String())
		}
	}
	if err := a.check(a.defaultFile, nil); err == nil {
		t.Error("there is nothing to check")
	}
}

// TestEnvironmentFlags: each flag with a long name is set by a variable, or is in the list of those that are not.
func TestEnvironmentFlags(t *testing.T) {
	not := []string{"active", "interface", "null-auth", "user", // there is a key
		"save", "read", "daemon", "help", // for a person at a terminal
		"active-only", "blocking", "buffer-size", "buffer-entries", "bind", "port", "hosts"} // without effect, or refused
	_, _, _, s := cli(t)
	var words []string
	s.flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(not, f.Name) == slices.Contains(environmentFlags, f.Name) {
			t.Errorf("--%s: in both lists, or in none", f.Name)
		}
	})
	for _, word := range environmentWords() {
		if slices.Contains(words, word) {
			t.Errorf("%s means two things", word)
		}
		words = append(words, word)
	}
	for _, key := range config.AgentKeys() {
		if word := environment.Word(key); key != "Account" && !slices.Contains(words, word) {
			t.Errorf("%s: no variable %s", key, word)
		}
	}
}

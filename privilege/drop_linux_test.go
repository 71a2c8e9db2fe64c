package privilege

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary be the process that drops its privileges: what
// Drop does cannot be undone, so it never happens in the test process itself.
func TestMain(m *testing.M) {
	if os.Getenv("PRIVILEGE_TEST_DROP") == "" {
		os.Exit(m.Run())
	}
	res, err := Drop("", "no-such-user", "nobody")
	if err != nil {
		os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	var states []string
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		states = append(states, string(b))
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"res": res, "threads": states})
	os.Exit(0)
}

func TestRootDropLeavesNetRawOnly(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("REQUIRE_ROOT") == "1" {
			t.Fatal("needs root")
		}
		t.Skip("needs root to have something to drop")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PRIVILEGE_TEST_DROP=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got struct {
		Res     Result
		Threads []string
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.Res.User != "nobody" && len(got.Res.Skipped) == 0 || !got.Res.NetRaw {
		t.Errorf("result %+v", got.Res)
	}
	if len(got.Threads) < 2 {
		t.Fatalf("only %d threads: the test shows nothing about the others", len(got.Threads))
	}
	for _, th := range got.Threads {
		for _, want := range []string{"CapPrm:\t0000000000002000", "CapEff:\t0000000000002000", "CapInh:\t0000000000000000", "NoNewPrivs:\t1"} {
			if !strings.Contains(th, want) {
				t.Errorf("a thread lacks %q:\n%s", want, th)
			}
		}
		if got.Res.User == "nobody" && strings.Contains(th, "Uid:\t0") {
			t.Errorf("a thread is still root:\n%s", th)
		}
	}
}

func TestDropUnknownUserIsAnError(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root changes its user")
	}
	if _, err := Drop("no-such-user-here"); err == nil || !strings.Contains(err.Error(), "no-such-user-here") {
		t.Errorf("got %v, want an error that names the user", err)
	}
}

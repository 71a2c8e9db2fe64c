package agent

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"rpcapd/config"
)

// TestEmptyRequest: a request holds for one reload of one process.
func TestEmptyRequest(t *testing.T) {
	dir := t.TempDir()
	runDir, err := OpenRunDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { runDir.root.Close() }) // this agent never runs
	o := Options{Logger: zap.NewNop(), RunDir: runDir}
	o.Config.Targets = []config.Target{{Host: "127.0.0.1", Port: 1, Fanout: 1}}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, emptyName)
	ask := func(pid int, count uint64) (withdraw func()) {
		t.Helper()
		st := &Status{PID: pid}
		st.Reload.Count = count
		withdraw, err := AllowEmpty(dir, st)
		if err != nil {
			t.Fatal(err)
		}
		return withdraw
	}
	gone := func(when string) {
		t.Helper()
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s: the request is still there", when)
		}
	}
	if s.MayEmpty() {
		t.Error("nobody has asked")
	}
	ask(os.Getpid(), 0)
	if !s.MayEmpty() {
		t.Error("refused what was asked for")
	}
	gone("taken")
	if s.MayEmpty() {
		t.Error("one request served two reloads")
	}
	ask(os.Getpid()+1, 0)
	if s.MayEmpty() {
		t.Error("took the request for another process")
	}
	gone("another process's")
	ask(os.Getpid(), 0)
	s.Reloaded(nil) // another reload came between
	if s.MayEmpty() {
		t.Error("took the request for an earlier reload")
	}
	ask(os.Getpid(), 1)()
	gone("withdrawn")

	// What lies in the way is not followed, and does not stop anybody.
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	if s.MayEmpty() {
		t.Error("took a link")
	}
	gone("link")
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	ask(os.Getpid(), 1)
	if b, err := os.ReadFile(victim); err != nil || string(b) != "content" {
		t.Errorf("wrote through a link: %q, %v", b, err)
	}
	if !s.MayEmpty() {
		t.Error("refused what was asked for after a link")
	}
	s.Reload(config.Agent{})
	if !s.MayEmpty() {
		t.Error("an agent without sessions has none to lose")
	}
}

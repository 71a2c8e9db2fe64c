package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// asProgram makes the test binary be rpcapd itself, for tests of whole processes.
const asProgram = "TEST_AS_RPCAPD"

// asSleeper makes it a process that only waits for a signal.
const asSleeper = "TEST_AS_SLEEPER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	if os.Getenv(asSleeper) != "" {
		time.Sleep(time.Minute)
		os.Exit(exitOK)
	}
	os.Exit(m.Run())
}

// cli runs a command line and returns its exit code and what it printed. The daemon
// is not run: its settings are returned instead.
func cli(t *testing.T, args ...string) (code int, out, errs string, s *settings) {
	t.Helper()
	stdin, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var stdout, stderr bytes.Buffer
	a := &app{in: stdin, out: &stdout, err: &stderr, defaultFile: filepath.Join(t.TempDir(), "none.ini")}
	a.serve = func(x *settings) error { s = x; return nil }
	code = a.execute(args)
	return code, stdout.String(), stderr.String(), s
}

// writeFile makes a file in a folder that goes away with the test.
func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// emptyCapture is a capture file without frames: an agent that reads it needs no right to capture.
func emptyCapture(t *testing.T) string {
	t.Helper()
	return writeFile(t, "empty.pcap", "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
}

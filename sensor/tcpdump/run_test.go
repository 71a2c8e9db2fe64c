//go:build unix

package tcpdump

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"rpcapd/test/tool"
	"rpcapd/test/wait"
)

// TestTcpdumpFails: whatever keeps tcpdump from a judgement is an error with the reason in front and a cure. It is never taken
// for a refusal that another link type could mend: a filter that nobody has judged is not good.
func TestTcpdumpFails(t *testing.T) {
	const banner = `echo "reading from file -, link-type EN10MB (Ethernet), snapshot length 262144" >&2; `
	long := "not (host 10.2.0.1" + strings.Repeat(" or host 10.2.0.1", 1000) + ")"
	for name, tc := range map[string]struct{ script, want string }{
		"killed":              {banner + "kill -9 $$", "tcpdump has ended by signal: killed"},
		"crashed":             {banner + "kill -SEGV $$", "tcpdump has ended by signal: segmentation fault"},
		"too slow":            {banner + "exec sleep 60", "tcpdump has not compiled it within"},
		"without memory":      {banner + `echo "tcpdump: out of memory" >&2; exit 1`, "tcpdump ran out of memory (out of memory)"},
		"without memory, too": {banner + `echo "tcpdump: malloc" >&2; exit 1`, "tcpdump ran out of memory (malloc)"},
		"without a library":   {`echo "tcpdump: error while loading shared libraries: libpcap.so" >&2; exit 127`, "tcpdump has failed with exit status 127 (error while"},
		"silent":              {"exit 1", "tcpdump has failed with exit status 1;"},
		"with a banner only":  {banner + `echo "tcpdump: WARNING: snaplen raised" >&2; exit 1`, "tcpdump has failed with exit status 1;"},
		"without output":      {banner, "tcpdump's output is not a program: it is empty"},
		"with other output":   {"echo hello", `tcpdump's output is not a program: "hello"`},
		"too long":            {"echo 8193", "it makes 8193 instructions, and agents take 8192"},
	} {
		t.Run(name, func(t *testing.T) {
			c := NewCompiler()
			tool.Fake(t, "tcpdump", tc.script)
			if name == "too slow" {
				c.wall = 50 * time.Millisecond
			}
			err := c.Check(t.Context(), long)
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) || !errors.As(err, new(*Error)) {
				t.Fatalf("%v", err)
			}
			if s := err.Error(); strings.Contains(s, "reading from") || len(s) > 400 || !strings.Contains(s, `(filter "not (host 10.2.0.1 or`) {
				t.Errorf("%d bytes: %s", len(s), s)
			}
			if n := len(c.refused); n != 1 {
				t.Errorf("%d link types were tried", n)
			}
		})
	}
}

func TestTcpdumpCannotBeRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tcpdump")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		file:            "tcpdump cannot be run: ",
		file + "-gone":  "tcpdump is not there: ",
		"no-such-thing": "tcpdump is not there: ",
	} {
		c := NewCompiler()
		c.tcpdump = name
		if err := c.Check(t.Context(), "ip"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTcpdumpVerdict: what it says of the filter comes without its banner and its warnings, fit to be shown.
func TestTcpdumpVerdict(t *testing.T) {
	c := NewCompiler()
	t.Setenv("SECRET", "environment")
	tool.Fake(t, "tcpdump", `printf 'reading from file -\ntcpdump: WARNING: old\ntcpdump: bad\033[31m word%s\nWarning: more\n' "$SECRET" >&2; exit 1`)
	if err := c.Check(t.Context(), "ip"); err == nil || err.Error() != `bad?[31m word (filter "ip")` {
		t.Errorf("%v", err)
	}
}

// TestTcpdumpIsConfined: what computes without end or takes memory without end is stopped by the system.
func TestTcpdumpIsConfined(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux limits a process that runs")
	}
	c := compilerOf(1, command{wall: 5 * time.Minute, cpu: time.Second, memory: 64 << 20}) // not nice: that takes minutes on a busy machine
	tool.Fake(t, "tcpdump", "while :; do :; done")
	begin := time.Now()
	if err := c.Check(t.Context(), "ip"); err == nil || !strings.HasPrefix(err.Error(), "tcpdump has computed for 1s without a result; write networks") {
		t.Errorf("%v", err)
	}
	first := time.Since(begin)
	begin = time.Now()
	if err := c.Check(t.Context(), "ip"); err == nil || time.Since(begin) > first/2 {
		t.Errorf("asked again: %v after %v", err, time.Since(begin))
	}
	c = compilerOf(1, command{wall: 5 * time.Minute, cpu: time.Second, memory: 64 << 20, nice: 19})
	tool.Fake(t, "tcpdump", `ulimit -v | { read v; test "$v" = 65536 && nice=$(cut -d" " -f19 /proc/$$/stat) && echo "tcpdump: limited $nice"; } >&2; exit 1`)
	// The limits come a moment after the start.
	wait.Until(t, "the limits hold", func() bool {
		c.ForgetRefusals()
		err := c.Check(context.Background(), "ip")
		return err != nil && strings.HasPrefix(err.Error(), "limited 19")
	})
}

// TestCompilerForgets: neither filters nor their programs gather without end.
func TestCompilerForgets(t *testing.T) {
	c := NewCompiler()
	tool.Fake(t, "tcpdump", "echo 1; echo 6 0 0 1")
	c.held = maxCompiledInstructions
	if _, err := c.Compile(t.Context(), "ip", 1); err != nil || c.held != 1 || len(c.cache) != 1 {
		t.Errorf("%d instructions, %d programs, %v", c.held, len(c.cache), err)
	}
}

// A tcpdump that takes long, for a name server that does not answer, holds up nobody who needs another filter, and those who
// need the same wait for one run.
func TestCompilerDoesNotBlockOthers(t *testing.T) {
	c := NewCompiler()
	runs := filepath.Join(t.TempDir(), "runs")
	tool.Fake(t, "tcpdump", `case "$*" in *slow*) echo run >> `+runs+`; exec sleep 90;; esac; echo 1; echo 6 0 0 1`)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := c.Compile(ctx, "slow", 1); err == nil {
				t.Error("compiled")
			}
		})
	}
	wait.Until(t, "the slow one runs", func() bool { _, err := os.Stat(runs); return err == nil })
	begin := time.Now()
	if _, err := c.Compile(t.Context(), "quick", 1); err != nil {
		t.Error(err)
	}
	c.ForgetRefusals()
	if took := time.Since(begin); took > 40*time.Second {
		t.Errorf("waited %v", took)
	}
	cancel()
	wg.Wait()
	if b, err := os.ReadFile(runs); err != nil || strings.Count(string(b), "run") != 1 {
		t.Errorf("%q %v", b, err)
	}
}

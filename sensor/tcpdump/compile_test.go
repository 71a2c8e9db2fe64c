package tcpdump

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"rpcapd/test/tool"
	"strings"
	"testing"
	"time"

	"rpcapd/rpcap"
)

func TestParseProgram(t *testing.T) {
	_, err := parseProgram(bytes.NewBufferString("3\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n"))
	if err == nil {
		t.Fatal("a jump out of the program was accepted")
	}
	p, err := parseProgram(bytes.NewBufferString("4\n40 0 0 12\n21 0 1 2048\n6 0 0 262144\n6 0 0 0\n"))
	if err != nil || len(p) != 4 || p[1] != (rpcap.Instruction{Op: 21, Jf: 1, K: 2048}) {
		t.Errorf("%v, %v", p, err)
	}
	for _, bad := range []string{"", "x\n", "0\n", "8193\n", "2\n6 0 0 1\n", "1\n6 0 0 1\n6 0 0 0\n", "1\n6 0 300 1\n", "1\n6 0\n", "-1\n"} {
		if _, err := parseProgram(bytes.NewBufferString(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestCompile(t *testing.T) {
	tool.Need(t, "tcpdump")
	c := NewCompiler()
	eth, err := c.Compile(t.Context(), "tcp port 443", 1)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Compile(t.Context(), "tcp port 443", 12)
	if err != nil || len(raw) == len(eth) {
		t.Errorf("raw IP: %d instructions, Ethernet: %d (%v)", len(raw), len(eth), err)
	}
	for _, bad := range []string{"tcp prt 443", "-w /tmp/x", "ether proto"} {
		_, err := c.Compile(t.Context(), bad, 1)
		if err == nil || !strings.Contains(err.Error(), bad) || strings.Contains(err.Error(), "reading from") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestCompileWithoutTcpdump(t *testing.T) {
	c := NewCompiler()
	c.tcpdump = filepath.Join(t.TempDir(), "nowhere")
	t.Setenv("PATH", t.TempDir())
	c.tcpdump = "tcpdump"
	if _, err := c.Compile(t.Context(), "ip", 1); err == nil || !strings.Contains(err.Error(), "install tcpdump") {
		t.Errorf("without tcpdump: %v", err)
	}
	if p, err := c.Compile(t.Context(), " ", 1); err != nil || len(p) != 1 {
		t.Errorf("no filter needs no tcpdump: %v, %v", p, err)
	}
}

// TestCompileIsBounded: a tcpdump that hangs is given up.
func TestCompileIsBounded(t *testing.T) {
	c := NewCompiler()
	c.tcpdump = filepath.Join(t.TempDir(), "tcpdump")
	if err := os.WriteFile(c.tcpdump, []byte("#!/bin/sh\nexec sleep 60\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if _, err := c.Compile(ctx, "ip", 1); err == nil || time.Since(begin) > 30*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
}

package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCheckOutputs(t *testing.T) {
	_, msg, code := execute(t, "check", "-f", write(t, "[rule a]\n[pcap-over-ip b]\nCertificate = /nonexistent\nKey = /nonexistent\n[http]\nCertificate = /nowhere\nKey = /nowhere\n"))
	if code != exitFailed || !strings.Contains(msg, "[pcap-over-ip b]") || !strings.Contains(msg, "/nonexistent") || !strings.Contains(msg, "[http]") {
		t.Errorf("certificates that are not there: exit code %d, %s", code, msg)
	}
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed")
	}
	out, msg, code := execute(t, "check", "-f", write(t, "[rule a]\n[pcap-over-ip]\nFilter = tcp prot 3\n[file x]\nPath = x.pcapng\nFilter = udp prot 3\n"))
	if code != exitFailed || !strings.Contains(msg, "tcp prot 3") || !strings.Contains(msg, "[file x]") {
		t.Errorf("filters of outputs: exit code %d, %s%s", code, out, msg)
	}
}

package main

import (
	"os"
	"path/filepath"
	"rpcapd/test/tool"
	"strings"
	"testing"
)

// TestCheckOutputs: filters and certificates that cannot be used are said with the line of the file, as mistakes of
// grammar are, by check and by a start.
func TestCheckOutputs(t *testing.T) {
	key := write(t, "no key")
	certificates := "[rule a]\n[pcap-over-ip b]\nKey = /nonexistent\nCertificate = /nonexistent\n[http]\nCertificate = " + key + "\nKey = " + key + "\n"
	out, msg, code := execute(t, "check", "-f", write(t, certificates))
	if code != exitFailed || !strings.Contains(out, "ini:4: [pcap-over-ip b] Certificate: open /nonexistent") || !strings.Contains(out, "ini:6: [http] Certificate "+key) {
		t.Errorf("certificates that are not there: exit code %d, %s%s", code, out, msg)
	}
	out, msg, code = execute(t, "check", "-f", write(t, "[rule a]\n[pcap-over-ip]\nConnect = a:1\nTLS = yes\nCA = "+key+"\n"))
	if code != exitFailed || !strings.Contains(out, "ini:5: [pcap-over-ip] CA: "+key+" has no certificate") {
		t.Errorf("authorities that are none: exit code %d, %s%s", code, out, msg)
	}
	if _, msg, code = execute(t, "-f", write(t, certificates)); code != exitFailed || !strings.Contains(msg, "ini:4: [pcap-over-ip b] Certificate") {
		t.Errorf("certificates that are not there, at the start: exit code %d, %s", code, msg)
	}
	tool.Need(t, "tcpdump")
	filters := "[rule a]\n[pcap-over-ip]\nListen = 127.0.0.1:0\nFilter = tcp prot 3\n[file x]\nPath = x.pcapng\nFilter = udp prot 3\n"
	filters = strings.Replace(filters, "Listen = 127.0.0.1:0\n", "", 1)
	out, msg, code = execute(t, "check", "-f", write(t, filters))
	if code != exitFailed || !strings.Contains(out, "ini:3: [pcap-over-ip] Filter:") || !strings.Contains(out, "tcp prot 3") || !strings.Contains(out, "ini:6: [file x] Filter:") {
		t.Errorf("filters of outputs: exit code %d, %s%s", code, out, msg)
	}
	if _, msg, code = execute(t, "-f", write(t, filters)); code != exitFailed || !strings.Contains(msg, "ini:6: [file x] Filter:") {
		t.Errorf("filters of outputs, at the start: exit code %d, %s", code, msg)
	}
	rules := "[rule a]\nPort = 2004\nFilter = tcp prot 3\n[rule b]\nFilter = inbound\n[rule c]\n[pcap-over-ip]\nFilter = udp prot 3\n"
	out, msg, code = execute(t, "check", "-f", write(t, rules))
	if code != exitFailed || !strings.Contains(out, "ini:3: [rule a] Filter: can't parse filter expression: syntax error") ||
		!strings.Contains(out, "ini:5: [rule b] Filter: inbound compiles only") || !strings.Contains(out, "ini:8: [pcap-over-ip] Filter:") {
		t.Errorf("filters of rules: exit code %d, %s%s", code, out, msg)
	}
	rules = strings.Replace(rules, "[pcap-over-ip]\nFilter = udp prot 3\n", "", 1)
	if _, msg, code = execute(t, "-f", write(t, rules)); code != exitFailed || !strings.Contains(msg, "ini:3: [rule a] Filter:") ||
		!strings.Contains(msg, "ini:5: [rule b] Filter:") || strings.Contains(msg, "rule a:") {
		t.Errorf("filters of rules, at the start: exit code %d, %s", code, msg)
	}
	if out, msg, code = execute(t, "check", "-f", write(t, "[rule a]\n")); code != exitOK || !strings.HasSuffix(out, "good, 1 rule\n") {
		t.Errorf("exit code %d, %s%s", code, out, msg)
	}
}

// TestCheckDirectories: a path that files cannot go to is refused before the sensor is started with it.
func TestCheckDirectories(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(dir, "closed")
	if err := os.Mkdir(closed, 0o500); err != nil {
		t.Fatal(err)
	}
	if mayWrite(closed) != nil { // root may
		if out, msg, code := execute(t, "check", "-f", write(t, "[rule a]\n[file]\nPath = "+closed+"/%Y.pcapng\n")); code != exitFailed || !strings.Contains(out, "cannot write to "+closed) {
			t.Errorf("exit code %d, %s%s", code, out, msg)
		}
	}
	for text, want := range map[string]string{
		"[file]\nPath = " + file + "/x.pcapng\n":                                   "ini:3: [file] Path: " + file + " is not a directory",
		"[file a]\nKeep = 1\nRotateTime = 1h\nPath = " + file + "/a/b/%Y.pcapng\n": "ini:5: [file a] Path: ",
		"[output]\nFile = " + dir + "/none/x.pcapng\n":                             "ini:3: [output] File: there is no directory " + filepath.Join(dir, "none") + "; make it",
		"[output]\nFile = " + dir + "\n":                                           "ini:3: [output] File: " + dir + " is a directory",
		"[file]\nPath = " + dir + "/new/%Y/x.pcapng\n":                             "ini:3: warning: [file] Path: there is no directory " + filepath.Join(dir, "new") + "; the sensor creates it",
		"[file]\nPath = " + dir + "/%Y/x.pcapng\n":                                 "good, 1 rule",
		"[output]\nFile = " + os.DevNull + "\n":                                    "good, 1 rule",
	} {
		out, msg, code := execute(t, "check", "-f", write(t, "[rule a]\n"+text))
		if !strings.Contains(out, want) || (code == exitOK) != (strings.Contains(want, "warning") || strings.Contains(want, "good")) {
			t.Errorf("%s: exit code %d, %s%s, want %q", text, code, out, msg, want)
		}
	}
}

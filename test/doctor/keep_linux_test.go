package doctor

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

const page = "../../docs/DOCTOR.md"

// ofMachine are checks whose outcome depends on the machine that the test runs on: of those the page shows the name.
var ofMachine = regexp.MustCompile(`^(ok|warning|failed|not checked) +(files|service|conflicts|disk|memory|buffers|clock|offload) `)

// changing is what differs from run to run.
var changing = regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b|process [0-9]+|/(tmp|run)/[^ ]*rpcapd[^ ]*`)

// pageLock is held while a test reads and writes the page.
var pageLock sync.Mutex

// keep compares the print below a heading of the page with a run, or writes it there. hide are words of the command line.
func keep(t *testing.T, heading, text string, hide ...string) {
	pageLock.Lock()
	defer pageLock.Unlock()
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(b), "\n## "+heading+"\n")
	start, rest, fenced := strings.Cut(rest, "```text\n")
	old, after, closed := strings.Cut(rest, "```")
	if !found || !fenced || !closed {
		t.Fatalf("%s has no print below %q", page, heading)
	}
	for i := 1; i < len(hide); i += 2 {
		text = strings.ReplaceAll(text, hide[i], map[string]string{"-f": "/etc/rpcapd/rpcapd.ini", "--run-dir": "/run/rpcapd"}[hide[i-1]])
	}
	text = regexp.MustCompile(`setcap cap_net_raw\+ep /[^ ;)]*`).ReplaceAllString(text, "setcap cap_net_raw+ep /usr/sbin/rpcapd")
	text = regexp.MustCompile(`(?m)^rpcapd .*$`).ReplaceAllString(text, "rpcapd 1.0.0 on web1, Linux 6.12.0 x86_64, as root")
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(page, []byte(before+"\n## "+heading+"\n"+start+"```text\n"+text+"```"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want, got := normal(old), normal(text); want != got {
		t.Errorf("%s, %q shows\n%s\nand doctor prints\n%s\nUPDATE_DOCS=1 writes it there", page, heading, want, got)
	}
}

// normal is what must be the same.
func normal(text string) string {
	var lines []string
	skip := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		switch further := strings.HasPrefix(line, "     "); {
		case further && skip, strings.Contains(line, " not checked\n"), regexp.MustCompile(`^[0-9]+ ok, `).MatchString(line):
			continue
		case ofMachine.MatchString(line):
			skip = true
			lines = append(lines, ofMachine.FindStringSubmatch(line)[2])
			continue
		case !further:
			skip = false
		}
		lines = append(lines, changing.ReplaceAllString(line, "…"))
	}
	return strings.Join(lines, "\n")
}

//go:build unix

package packages

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rpcapd/config"
)

func text(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(repository, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// sample is a line of a shipped file that becomes active without its "#".
var sample = regexp.MustCompile(`(?m)^#([A-Za-z]+ = .*|\[[a-z -]+\])$`)

// activated is a shipped file with all its samples in force, and a hash in the place of dots.
func activated(text string) string {
	return strings.ReplaceAll(sample.ReplaceAllString(text, "$1"), "$2a$10$...", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")
}

// TestShippedAgentIni: as it is nothing is active; what it shows is right.
func TestShippedAgentIni(t *testing.T) {
	shipped := text(t, "packaging/ini/rpcapd.ini")
	a, problems := config.ParseAgent("rpcapd.ini", []byte(shipped))
	if len(a.Targets) > 0 || problems.Err() != nil || len(problems) != 1 || !strings.Contains(problems[0].Text, "no ActiveClient line") {
		t.Errorf("as shipped: %d lines, problems %v", len(a.Targets), problems)
	}
	a, problems = config.ParseAgent("rpcapd.ini", []byte(activated(shipped)))
	if problems.Err() != nil || len(a.Targets) != 4 || a.MaxSessions != 64 || len(a.Ignore) != 2 || a.Name != "%h" || len(a.Accounts) != 1 || a.MaxRate != 100e6 || a.MaxCPU != 50 || a.User != "rpcapd" {
		t.Errorf("with its samples: %+v, %v", a, problems)
	}
	for _, p := range problems {
		if strings.Contains(p.Text, "unknown") {
			t.Error(p)
		}
	}
	explained(t, shipped, text(t, "packaging/man/rpcapd.ini.5"), "", config.AgentKeys())
}

// TestShippedSensorIni is the same for the sensor.
func TestShippedSensorIni(t *testing.T) {
	shipped := text(t, "packaging/ini/rpcap-sensor.ini")
	if _, problems := config.ParseSensor("rpcap-sensor.ini", []byte(shipped)); problems.Err() != nil {
		t.Error(problems)
	}
	_, problems := config.ParseSensor("rpcap-sensor.ini", []byte(activated(shipped)))
	for _, p := range problems {
		t.Errorf("with its samples: %v", p)
	}
	keys := config.SensorKeys()
	if len(keys) < 7 {
		t.Fatalf("only %d sections are known: the test shows nothing", len(keys))
	}
	page := text(t, "packaging/man/rpcap-sensor.ini.5")
	for kind, list := range keys {
		where := page
		if kind != "" { // its own section of the page, and what is said of all outputs
			where = pageSection(page, "["+kind) + pageSection(page, "OUTPUTS")
		}
		explained(t, sampleSection(shipped, kind), where, kind, list)
	}
}

// sampleSection is what the shipped file has of one kind of section.
func sampleSection(shipped, kind string) string {
	var b strings.Builder
	now := ""
	for line := range strings.Lines(shipped) {
		if name, found := strings.CutPrefix(line, "#["); found {
			now, _, _ = strings.Cut(strings.TrimRight(name, "]\n"), " ")
		}
		if now == kind {
			b.WriteString(line)
		}
	}
	if kind == "file" || kind == "pcap-over-ip" || kind == "tap" { // the keys that select and cut frames are shown once for all three
		b.WriteString("#Filter = x\n#Agents = x\n#Rules = x\n#MaxFrame = x\n")
	}
	return b.String()
}

// pageSection is the part of a manual page below a heading that begins so.
func pageSection(page, heading string) string {
	_, rest, _ := strings.Cut(page, "\n.SH "+strings.ReplaceAll(heading, "-", `\-`))
	part, _, _ := strings.Cut(rest, "\n.SH ")
	return part
}

// explained checks that each key is shown in a shipped file, and has an entry on the manual
// page.
func explained(t *testing.T, shipped, page, section string, keys []string) {
	t.Helper()
	for _, key := range keys {
		if !regexp.MustCompile(`(?m)^#` + regexp.QuoteMeta(key) + ` = `).MatchString(shipped) {
			t.Errorf("the shipped file does not show %s of section %q", key, section)
		}
		if !regexp.MustCompile(`(?m)^\.BI "?` + regexp.QuoteMeta(key) + `=`).MatchString(page) {
			t.Errorf("the manual page has no entry for %s of section %q", key, section)
		}
	}
}

// TestExamples: the files in the documentation are good.
func TestExamples(t *testing.T) {
	for _, name := range []string{"two-interfaces.ini", "password.ini"} {
		if a, problems := config.ParseAgent(name, []byte(text(t, "packaging/doc/"+name))); len(problems) > 0 || len(a.Targets) == 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
	if _, problems := config.ParseSensor("two-rules.ini", []byte(text(t, "packaging/doc/two-rules.ini"))); len(problems) > 0 {
		t.Error(problems)
	}
}

// TestScripts: POSIX sh understands them; shellcheck is asked where it is installed.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(repository, "packaging/*/rpcap*.*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range scripts {
		if dir := filepath.Base(filepath.Dir(path)); dir != "deb" && dir != "rpm" && dir != "apk" {
			continue
		}
		n++
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
		out, err := exec.Command("shellcheck", "--shell=sh", "--severity=warning", path).CombinedOutput()
		if err != nil && !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
	}
	if n < 15 {
		t.Errorf("only %d scripts looked at", n)
	}
}

// TestCompletion: the shells that are here understand the files, and bash knows the subcommands.
func TestCompletion(t *testing.T) {
	for program := range installed {
		files := debFiles(t, deb(t, program, newVersion))
		for shell, name := range map[string]string{
			"bash": "/usr/share/bash-completion/completions/" + program,
			"zsh":  "/usr/share/zsh/vendor-completions/_" + program,
			"fish": "/usr/share/fish/vendor_completions.d/" + program + ".fish",
		} {
			cmd := exec.Command(shell, "-n")
			if shell == "fish" {
				cmd = exec.Command(shell, "--no-execute")
			}
			cmd.Stdin = strings.NewReader(files[name].data)
			if out, err := cmd.CombinedOutput(); err != nil && !errors.Is(err, exec.ErrNotFound) {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
			if !strings.Contains(files[name].data, "__"+strings.ReplaceAll(program, "-", "_")) && !strings.Contains(files[name].data, program) {
				t.Errorf("%s does not complete %s", name, program)
			}
		}
	}
}

// TestPages: mandoc has nothing to say about the pages of the package.
func TestPages(t *testing.T) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("needs mandoc")
	}
	for program := range installed {
		for name, e := range debFiles(t, deb(t, program, newVersion)) {
			if !strings.HasPrefix(name, "/usr/share/man/man") || e.dir {
				continue
			}
			page := e.gunzipped(t)
			if !strings.Contains(strings.SplitN(page, "\n", 2)[0], program+" "+newVersion) && !strings.Contains(page, strings.ReplaceAll(program, "-", `\-`)+" "+newVersion) {
				t.Errorf("%s does not name its version: %.80s", name, page)
			}
			cmd := exec.Command("mandoc", "-Tlint", "-Wwarning")
			cmd.Stdin = strings.NewReader(page)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

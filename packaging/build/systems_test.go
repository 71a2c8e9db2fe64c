package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func readPackaging(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPropertyList: the file of launchd is a property list whose keys and values are what launchd.plist(5) asks for.
func TestPropertyList(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(readPackaging(t, "macos/rpcapd.plist")))
	var depth []string
	var key string
	values := make(map[string][]string) // of the outermost dictionary: element and text
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth = append(depth, e.Name.Local)
			if len(depth) == 3 && e.Name.Local != "key" {
				values[key] = append(values[key], e.Name.Local)
			}
		case xml.EndElement:
			depth = depth[:len(depth)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(e))
			switch {
			case text == "":
			case len(depth) == 3 && depth[2] == "key":
				key = text
			case len(depth) >= 3:
				values[key] = append(values[key], text)
			}
		}
	}
	for key, want := range map[string][]string{
		"Label":            {"string", "rpcapd"},
		"ProgramArguments": {"array", "/usr/local/sbin/rpcapd", "-L", "-f", "/etc/rpcapd/rpcapd.ini"},
		"RunAtLoad":        {"true"},
		"KeepAlive":        {"true"},
		"ThrottleInterval": {"integer", "5"},
		"ExitTimeOut":      {"integer", "10"},
	} {
		if !slices.Equal(values[key], want) {
			t.Errorf("%s: %q, want %q", key, values[key], want)
		}
	}
	if values["SoftResourceLimits"][0] != "dict" || slices.Contains(values["ProgramArguments"], "-d") {
		t.Errorf("%q: launchd wants the program in the foreground", values)
	}
}

// TestFreeBSDScript runs the script with an rc.subr that does what the real one does with its variables.
func TestFreeBSDScript(t *testing.T) {
	work := t.TempDir()
	write(t, work+"/rc.subr", `load_rc_config() { [ "$1" = rpcapd ] || exit 9; }
run_rc_command() {
	eval "custom=\${${1}_cmd:-}; pre=\${${1}_precmd:-}"
	[ -z "$pre" ] || $pre || { echo "precmd failed"; return 1; }
	if [ -n "$custom" ]; then $custom; return; fi
	echo "$1: $command $command_args"
	for v in "$rcvar=$rpcapd_enable" "procname=$procname" "pidfile=$pidfile" "required_files=$required_files" "extra=$extra_commands"; do echo "$v"; done
}
`)
	write(t, work+"/rpcapd", "#!/bin/sh\necho \"agent $*\"\n[ \"$1\" != check ] || grep -q good \"$3\"\n")
	write(t, work+"/rpcapd.ini", "good")
	text := readPackaging(t, "freebsd/rpcapd")
	for _, want := range []string{"# PROVIDE: rpcapd\n", "# REQUIRE: ", "# KEYWORD: shutdown\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no line %q for rcorder(8)", want)
		}
	}
	script := strings.NewReplacer("/etc/rc.subr", work+"/rc.subr", "/usr/local/sbin/", work+"/", "/usr/local/etc/rpcapd/", work+"/").Replace(text)
	call := func(verb string) string {
		cmd := exec.Command("sh", "-s", verb)
		cmd.Stdin = strings.NewReader("set -eu\n" + script)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	start := call("start")
	for _, want := range []string{
		"start: /usr/sbin/daemon -f -P /var/run/rpcapd.pid -r -R 5 " + work + "/rpcapd -L -f " + work + "/rpcapd.ini \n",
		"rpcapd_enable=NO\n", "procname=/usr/sbin/daemon\n", "pidfile=/var/run/rpcapd.pid\n", "extra=reload configtest\n",
	} {
		if !strings.Contains(start, want) {
			t.Errorf("start lacks %q:\n%s", want, start)
		}
	}
	if got := call("reload"); got != "agent reload\n" {
		t.Errorf("reload: %q", got)
	}
	write(t, work+"/rpcapd.ini", "bad")
	for _, verb := range []string{"start", "restart"} {
		if got := call(verb); !strings.HasSuffix(got, "precmd failed\n") || !strings.Contains(got, "agent check -f") {
			t.Errorf("%s with a bad ini: %q", verb, got)
		}
	}
}

// TestOpenBSDScript: what rc.subr(8) wants, in its order.
func TestOpenBSDScript(t *testing.T) {
	text := readPackaging(t, "openbsd/rpcapd")
	at := 0
	for _, want := range []string{"#!/bin/ksh\n", "\ndaemon=\"/usr/local/sbin/rpcapd\"\n", "\ndaemon_flags=\"-d -L -f /etc/rpcapd/rpcapd.ini\"\n",
		"\n. /etc/rc.d/rc.subr\n", "\nrc_configtest() {\n", "\nrc_cmd $1\n"} {
		n := strings.Index(text[at:], want)
		if n < 0 {
			t.Fatalf("no %q, or not in this place", want)
		}
		at += n
	}
	if out, err := exec.Command("sh", "-n", "../openbsd/rpcapd").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// TestInstallNotes: the files that the notes speak of are those that the archive has, and the notes say that nobody has run it.
func TestInstallNotes(t *testing.T) {
	for _, s := range systems {
		text := readPackaging(t, strings.ToLower(s.name)+"/INSTALL")
		for _, want := range []string{"@VERSION@", "@ARCH@", "/usr/local/share/rpcapd/rpcapd.ini", "nobody has run this package on " + s.name + " yet"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: INSTALL lacks %q", s.name, want)
			}
		}
		for name := range s.files {
			if _, err := os.Stat("../" + name); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSystemArchive: the same bytes twice, whatever the clock says.
func TestSystemArchive(t *testing.T) {
	src := &source{}
	stage := t.TempDir()
	write(t, filepath.Join(stage, "INSTALL"), "text")
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := archive(b, src, "rpcapd-1-freebsd-amd64", stage); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(stage, "INSTALL"), src.time, src.time); err != nil {
			t.Fatal(err)
		}
	}
	if first.Len() == 0 || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives differ")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

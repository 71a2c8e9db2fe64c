//go:build unix

package main

import (
	"os/exec"
	"strings"
	"testing"
)

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

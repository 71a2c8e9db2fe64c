//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpgradeKeepsStarting runs the parts of the packages' scripts that carry files over an upgrade: what the program
// before would start with is given to the new one to be mended, and nothing else.
func TestUpgradeKeepsStarting(t *testing.T) {
	for before, after := range map[string]string{
		"deb/rpcapd.preinst": "deb/rpcapd.postinst", "deb/rpcap-sensor.preinst": "deb/rpcap-sensor.postinst",
		"rpm/rpcapd.pre": "rpm/rpcapd.post", "rpm/rpcap-sensor.pre": "rpm/rpcap-sensor.post",
		"apk/rpcapd.pre-upgrade": "apk/rpcapd.post-upgrade", "apk/rpcap-sensor.pre-upgrade": "apk/rpcap-sensor.post-upgrade",
	} {
		name, _, _ := strings.Cut(filepath.Base(before), ".")
		root := t.TempDir()
		for path, text := range map[string]string{
			"/etc/" + name + "/" + name + ".ini": "good", "/etc/" + name + "/bad.ini": "bad", "/etc/" + name + "/other.ini": "good", "/run/x": "",
			"/bin/" + name: "#!/bin/sh\ncase $1 in check) grep -q good \"$3\" ;; upgrade-ini) echo \"$2\" >>" + root + "/mended; [ \"${2##*/}\" != other.ini ] ;; esac\n",
		} {
			if err := os.MkdirAll(filepath.Dir(root+path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+path, []byte(text), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		script := "set -e\n" + shellFunction(t, before, "note_good") + shellFunction(t, after, "keep_starting") + "note_good\nkeep_starting\nkeep_starting\n"
		script = strings.NewReplacer("/run/", root+"/run/", "/etc/", root+"/etc/").Replace(script)
		cmd := exec.Command("sh", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+root+"/bin:"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", before, err, out)
			continue
		}
		if want := "this one does not; mend it: " + name + " check -f " + root + "/etc/" + name + "/other.ini\n"; strings.Count(string(out), "mend it") != 1 || !strings.Contains(string(out), want) {
			t.Errorf("%s: a file that could not be mended: %s", after, out)
		}
		mended, err := os.ReadFile(root + "/mended")
		want := root + "/etc/" + name + "/other.ini\n" + root + "/etc/" + name + "/" + name + ".ini\n"
		if err != nil || string(mended) != want {
			t.Errorf("%s: %q, %v, want %q", before, mended, err, want)
		}
		if _, err := os.Stat(root + "/run/" + name + ".good"); err == nil {
			t.Errorf("%s: the list is left behind", after)
		}
		text, err := os.ReadFile("../" + after)
		if err != nil || strings.Count(string(text), "keep_starting\n") != 1 {
			t.Errorf("%s does not call keep_starting, %v", after, err)
		}
	}
}

// TestInstallScriptSaysWhatItCannotMend runs that part of the script that installs without packages.
func TestInstallScriptSaysWhatItCannotMend(t *testing.T) {
	work := t.TempDir()
	for path, text := range map[string]string{
		"/good":   "/etc/rpcapd/a.ini\n/etc/rpcapd/b.ini\n/etc/rpcapd/c.ini\n",
		"/rpcapd": "#!/bin/sh\ncase $1$2 in upgrade-ini*a.ini) exit 1 ;; esac\ncase $1$3 in check*b.ini) exit 1 ;; esac\n",
	} {
		if err := os.WriteFile(work+path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -eu\nwarn() { echo \"warning: $*\" >&2; }\nprogram=" + work + "/rpcapd\nwork=" + work + "\n" +
		shellFunction(t, "install/install-rpcapd.sh", "keep_starting") + "keep_starting\necho went on\n"
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	text := string(out)
	if err != nil || strings.Count(text, "warning: ") != 2 || !strings.Contains(text, "started with /etc/rpcapd/a.ini") || !strings.Contains(text, "started with /etc/rpcapd/b.ini") ||
		!strings.HasSuffix(text, "went on\n") {
		t.Errorf("%v\n%s", err, text)
	}
}

// shellFunction cuts a function out of a script.
func shellFunction(t *testing.T, script, name string) string {
	t.Helper()
	text, err := os.ReadFile("../" + script)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n"+name+"() {\n")
	body, _, ended := strings.Cut(rest, "\n}\n")
	if !found || !ended {
		t.Fatalf("%s has no %s", script, name)
	}
	return name + "() {\n" + body + "\n}\n"
}

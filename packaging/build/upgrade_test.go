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
			"/bin/" + name: "#!/bin/sh\ncase $1 in check) grep -q good \"$3\" ;; upgrade-ini) echo \"$2\" >>" + root + "/mended ;; esac\n",
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
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", before, err, out)
			continue
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

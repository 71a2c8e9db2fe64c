package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maintainer runs a maintainer script of a Debian package on a tree below root, with programs in the place of those that change
// the system. It returns whether the script succeeded.
func maintainer(t *testing.T, root, script string, stubs map[string]string, args ...string) bool {
	t.Helper()
	body := text(t, "packaging/deb/"+script)
	for _, dir := range []string{"/etc/", "/run/", "/usr/share/", "/var/lib/"} {
		body = strings.ReplaceAll(body, dir, root+dir)
	}
	bin := t.TempDir()
	all := map[string]string{}
	for _, name := range []string{"systemctl", "systemd-sysusers", "deb-systemd-helper", "deb-systemd-invoke", "update-rc.d", "usermod", "useradd", "getent", "chown", "rpcapd", "rpcap-sensor"} {
		all[name] = "exit 0"
	}
	for name, what := range stubs {
		all[name] = what
	}
	for name, what := range all {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+what+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("/bin/sh", append([]string{"-s", "--"}, args...)...)
	cmd.Stdin = strings.NewReader(body)
	cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
	out, err := cmd.CombinedOutput()
	t.Logf("%s %v: %v\n%s", script, args, err, out)
	return err == nil
}

// tree makes files below root.
func tree(t *testing.T, root string, files ...string) {
	t.Helper()
	for _, name := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("# sample\n"), 0o640); err != nil {
			t.Fatal(err)
		}
	}
}

// files are the names of what is in a folder; none if it is not there.
func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestPurge: the configuration goes, with what setup and upgrades have kept and an interrupted edit has left. The operator's own
// files stay.
func TestPurge(t *testing.T) {
	for _, name := range []string{"rpcapd", "rpcap-sensor"} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := "etc/" + name
			ini := dir + "/" + name + ".ini"
			tree(t, root, ini, ini+".old", ini+".old.1", ini+".a1B2c3", dir+"/."+name+".ini.a1B2c3", dir+"/."+name+".ini.1234567", dir+"/second.ini")
			if !maintainer(t, root, name+".postrm", nil, "purge") {
				t.Fatal("the purge failed")
			}
			if left := files(t, filepath.Join(root, dir)); !slices.Equal(left, []string{"second.ini"}) {
				t.Errorf("left: %v", left)
			}
		})
	}
}

// TestInterruptedInstallation: an installation that fails while it makes the configuration leaves no part of it behind.
func TestInterruptedInstallation(t *testing.T) {
	for _, name := range []string{"rpcapd", "rpcap-sensor"} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			dir := filepath.Join(root, "etc", name)
			tree(t, root, "usr/share/"+name+"/"+name+".ini", "usr/share/"+name+"/"+name+".default")
			if maintainer(t, root, name+".postinst", map[string]string{"chown": "exit 1"}, "configure") {
				t.Fatal("it did not fail")
			}
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("left: %v", left)
			}
			if !maintainer(t, root, name+".postinst", nil, "configure") || !slices.Equal(files(t, dir), []string{name + ".ini"}) {
				t.Errorf("installed: %v", files(t, dir))
			}
		})
	}
}

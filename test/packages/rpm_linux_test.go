package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The scripts of an rpm run here for real: in a Debian with rpm, whose database knows
// nothing of Debian's own packages (so --nodeps), once without and once with systemd.
const rpmBase = "trixie"

// installRpm installs or changes the version.
func (s *system) installRpm(t *testing.T, program, version, how string, env ...string) (string, int) {
	t.Helper()
	name := "/root/" + program + "-" + version + ".rpm"
	s.put(rpm(t, program, version), name)
	return s.try("rpm --nodeps "+how+" "+name, env...)
}

func (s *system) mustRpm(t *testing.T, program, version, how string, env ...string) string {
	t.Helper()
	out, code := s.installRpm(t, program, version, how, env...)
	if code != 0 {
		t.Fatalf("rpm %s %s: status %d\n%s", how, version, code, out)
	}
	return out
}

// TestRpmLife: an edited configuration survives, and what is erased is saved.
func TestRpmLife(t *testing.T) {
	s := newSystem(t, rpmBase, "rpm")
	s.mustRpm(t, "rpcapd", oldVersion, "-i")
	s.wants("stat -c '%U:%G %a' "+ini, "root:rpcapd 640")
	s.wants("rpm -q rpcapd", "rpcapd-"+oldVersion)
	s.wants("rpcapd check", "good, 0 sensor lines")
	s.wants("getent passwd rpcapd", "nologin")
	s.wants("rpm -V --nodeps rpcapd || :", "")

	s.edit(ini, edited)
	s.mustRpm(t, "rpcapd", newVersion, "-U")
	if got := s.read(ini); got != edited {
		t.Errorf("after an upgrade the ini is\n%s", got)
	}
	s.wants("rpcapd version", newVersion)
	s.mustRpm(t, "rpcapd", oldVersion, "-U --oldpackage")
	if got := s.read(ini); got != edited {
		t.Errorf("after a downgrade the ini is\n%s", got)
	}
	s.run("rpm -e --nodeps rpcapd")
	if got := s.read(ini + ".rpmsave"); got != edited {
		t.Errorf("what was saved is\n%s", got)
	}
	if s.exists("/usr/sbin/rpcapd") || s.exists(ini) {
		t.Error("the program or the ini is left")
	}
	s.wants("getent passwd rpcapd", "nologin")
}

// TestRpmNew: a new shipped file is put beside an edited one.
func TestRpmNew(t *testing.T) {
	s := newSystem(t, rpmBase, "rpm")
	shipped := text(t, "packaging/ini/rpcapd.ini")
	changed := withIni(t, strings.ReplaceAll(shipped, "# Configuration of rpcapd", "# The configuration of rpcapd"))
	s.mustRpm(t, "rpcapd", oldVersion, "-i")
	s.edit(ini, edited)
	s.put(changed, "/root/changed.rpm")
	out := s.run("rpm --nodeps -U /root/changed.rpm")
	if !strings.Contains(out, ".rpmnew") || s.read(ini) != edited || !strings.Contains(s.read(ini+".rpmnew"), "# The configuration of rpcapd") {
		t.Errorf("the new file is not beside the edited one: %s", out)
	}
}

// TestRpmConflict: rpm refuses to overwrite the program of another package.
func TestRpmConflict(t *testing.T) {
	s := newSystem(t, rpmBase, "rpm")
	s.put(otherRpm(t), "/root/other.rpm")
	s.run("rpm --nodeps -i /root/other.rpm")
	out, code := s.installRpm(t, "rpcapd", newVersion, "-i")
	if code == 0 || !strings.Contains(out, "/usr/sbin/rpcapd") || !strings.Contains(out, "conflicts with file from package other-agent") {
		t.Errorf("status %d\n%s", code, out)
	}
	s.wants("/usr/sbin/rpcapd", "other")
}

// TestRpmForeignInitScript: the script of the C agent's installer is stopped and moved aside.
func TestRpmForeignInitScript(t *testing.T) {
	s := newSystem(t, rpmBase, "rpm")
	s.write("/etc/init.d/rpcapd", "#!/bin/sh\necho \"$1\" >>/root/calls\n", 0o755)
	out := s.mustRpm(t, "rpcapd", newVersion, "-i")
	if !strings.Contains(out, "belongs to no package") || s.read("/root/calls") != "stop\n" || !s.exists("/etc/init.d/rpcapd.rpmsave") {
		t.Errorf("it was not stopped and set aside:\n%s", out)
	}
}

// TestRpmService: with systemd, an upgrade restarts the agent unless its file has errors, and
// erasing ends it.
func TestRpmService(t *testing.T) {
	s := newMachine(t, rpmBase, "rpm")
	s.mustRpm(t, "rpcapd", oldVersion, "-i")
	s.wants("systemctl is-enabled rpcapd", "enabled")
	s.wants("systemctl is-active rpcapd", "active")
	pid := s.pid("rpcapd")
	s.edit(ini, broken)
	out := s.mustRpm(t, "rpcapd", newVersion, "-U")
	if !strings.Contains(out, "is not restarted") || !strings.Contains(out, "rpcapd.ini:1: ") || s.pid("rpcapd") != pid {
		t.Errorf("with a broken file: process %s is now %s\n%s", pid, s.pid("rpcapd"), out)
	}
	s.edit(ini, edited)
	s.mustRpm(t, "rpcapd", newVersion, "-U --force")
	if s.pid("rpcapd") == pid {
		t.Error("with a good file it was not restarted")
	}
	s.until(settleLimit, "rpcapd status", "rpcapd "+newVersion)
	s.run("rpm -e --nodeps rpcapd")
	if out, _ := s.try("pidof rpcapd; systemctl is-enabled rpcapd"); strings.Contains(out, "enabled") || strings.Fields(out + " none")[0] == pid {
		t.Errorf("after erasing: %s", out)
	}
}

// withIni builds the new version with another shipped configuration.
func withIni(t *testing.T, ini string) string {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(name, []byte(ini), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := build(filepath.Join(dir, "dist"), newVersion, "-programs", "rpcapd", "-formats", "rpm", "-ini", name); err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "dist", "*.rpm"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	return list[0]
}

// otherRpm is a package of somebody else that has the same program.
func otherRpm(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"program":   "#!/bin/sh\necho other\n",
		"nfpm.yaml": "name: other-agent\narch: amd64\nversion: 9\ncontents:\n  - {src: " + dir + "/program, dst: /usr/sbin/rpcapd, file_info: {mode: 0755}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "other.rpm")
	cmd := exec.Command("go", "tool", "nfpm", "package", "-f", filepath.Join(dir, "nfpm.yaml"), "-p", "rpm", "-t", out)
	cmd.Dir = repository
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

package packages

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What the tools for clouds need, in one system.
const cloudBase = "trixie"

var cloudPackages = []string{"ansible-core", "ansible-lint", "cloud-init", "python3-apt", "curl"}

// newCloudSystem is one with these tools, with a repository in /srv/repo, and with no other.
func newCloudSystem(t *testing.T) (*system, *site) {
	t.Helper()
	full(t)
	dir := t.TempDir()
	from := &site{t: t, dir: filepath.Join(dir, "repo"), url: "file:///srv/repo", key: throwAwayKey(t)}
	from.publish(newVersion)
	s := newSystem(t, cloudBase, cloudPackages...)
	if err := os.CopyFS(filepath.Join(s.root, "srv/repo"), os.DirFS(from.dir)); err != nil {
		t.Fatal(err)
	}
	s.run("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*")
	return s, from
}

// userData is a file of deploy/cloud-init with the values of a test.
func userData(t *testing.T, name string, values map[string]string) string {
	t.Helper()
	data := text(t, "deploy/cloud-init/"+name)
	for old, value := range values {
		if !strings.Contains(data, old) {
			t.Fatalf("%s does not hold %q", name, old)
		}
		data = strings.ReplaceAll(data, old, value)
	}
	return data
}

// sensorArgument is what both files have; nobody answers at the other address.
const sensorArgument = "sensor.example.com:2003"

// withKey is the user data with the address and the key of a repository.
func withKey(t *testing.T, from *site) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(from.dir, "rpcapd.asc"))
	if err != nil {
		t.Fatal(err)
	}
	data := userData(t, "rpcapd-repository.yaml", map[string]string{"https://packages.example.com/rpcapd'": from.url + "'", sensorArgument: "127.0.0.1:9"})
	block := regexp.MustCompile(`(?s) *-----BEGIN PGP.*END PGP PUBLIC KEY BLOCK-----\n`)
	indented := regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(strings.TrimSpace(string(key))+"\n", "      $1")
	return block.ReplaceAllString(data, indented)
}

// TestCloudInit: cloud-init takes the user data as written, and after the first boot the agent runs with its sensor.
func TestCloudInit(t *testing.T) {
	s, from := newCloudSystem(t)
	data := withKey(t, from)
	s.write("/var/lib/cloud/seed/nocloud/user-data", data, 0o644)
	s.write("/var/lib/cloud/seed/nocloud/meta-data", "instance-id: one\nlocal-hostname: one\n", 0o644)
	s.write("/etc/cloud/cloud.cfg.d/99-test.cfg", "datasource_list: [NoCloud]\nnetwork: {config: disabled}\napt: {preserve_sources_list: true}\n", 0o644)
	for _, name := range []string{"rpcapd-repository.yaml", "rpcapd-package.yaml"} {
		s.write("/root/"+name, text(t, "deploy/cloud-init/"+name), 0o644)
		s.wants("cloud-init schema -c /root/"+name, "Valid schema")
	}
	s.refuses("a wrong key", "sed 's/^runcmd:/runcmd: x/' /root/rpcapd-package.yaml >/root/wrong.yaml; cloud-init schema -c /root/wrong.yaml", "Error", "Invalid")

	s = boot(t, s)
	s.until(2*time.Minute, "cloud-init status || :", "status: done")
	s.wants("rpcapd version", newVersion)
	s.wants("cat "+ini, "\nActiveClient = 127.0.0.1, 9", "NullAuthPermit = YES")
	s.wants("systemctl is-enabled rpcapd", "enabled")
	s.until(settleLimit, "rpcapd status", "127.0.0.1:9")
	pid, before := s.pid("rpcapd"), s.read(ini)
	s.run("install-rpcapd")
	if s.pid("rpcapd") != pid || s.read(ini) != before {
		t.Errorf("a second run changed something: process %s is now %s\n%s", pid, s.pid("rpcapd"), s.read(ini))
	}
}

// script is what the user data has a host run.
func script(t *testing.T, data string) string {
	t.Helper()
	_, rest, found := strings.Cut(data, "content: |\n")
	body, _, ends := strings.Cut(rest, "runcmd:")
	if !found || !ends {
		t.Fatalf("no script in\n%s", data)
	}
	return strings.ReplaceAll(body, "\n      ", "\n")[len("      "):]
}

// TestCloudPackage: without a repository, exactly the file with the checksum is installed.
func TestCloudPackage(t *testing.T) {
	s, _ := newCloudSystem(t)
	file := one(t, filepath.Join(forRepository(t, newVersion), "*.deb"))
	s.put(file, "/srv/agent.deb")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"https://files.example.com/rpcapd_1.0.0-1_" + runtime.GOARCH + ".deb": "file:///srv/agent.deb", sensorArgument: "127.0.0.1:9", "'eth0'": "'lo'",
		strings.Repeat("0", 64): fmt.Sprintf("%x", sha256.Sum256([]byte("another file"))),
	}
	s.write("/root/wrong.sh", script(t, userData(t, "rpcapd-package.yaml", values)), 0o755)
	s.refuses("another file", "/root/wrong.sh", "its SHA-256 is another one")
	if s.exists("/usr/sbin/rpcapd") {
		t.Error("it was installed")
	}
	values[strings.Repeat("0", 64)] = fmt.Sprintf("%x", sha256.Sum256(content))
	s.write("/root/right.sh", script(t, userData(t, "rpcapd-package.yaml", values)), 0o755)
	s.run("/root/right.sh")
	s.wants("cat "+ini, "\nActiveClient = 127.0.0.1, 9, ifname=lo")
	s.run("/root/right.sh")
}

// TestCloudAnsible: the roles are clean, show in check mode what they would do, do it, change nothing the second time, reload instead
// of restarting, and refuse a configuration with a mistake.
func TestCloudAnsible(t *testing.T) {
	s, from := newCloudSystem(t)
	if err := os.CopyFS(filepath.Join(s.root, "root/ansible"), os.DirFS(filepath.Join(repository, "deploy/ansible"))); err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(from.dir, "rpcapd.asc"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("/root/ansible/rpcapd.asc", string(key), 0o644)
	s = boot(t, s)
	s.run("export LC_ALL=C.UTF-8; cd /root/ansible && ansible-lint --offline -p 2>&1")
	play := func(sensor, settings string) string {
		s.write("/root/ansible/test.yml", fmt.Sprintf(`---
- name: Test
  hosts: localhost
  connection: local
  roles:
    - role: rpcapd
      vars:
        rpcapd_repository_url: file:///srv/repo
        rpcapd_repository_key: "{{ lookup('ansible.builtin.file', 'rpcapd.asc') }}"
        rpcapd_sensors:
          - {host: %s, ifname: lo}
          - {host: 192.0.2.7, port: 2004, ifaddr: 10.0.0.0/8, fanout: 2}
        rpcapd_settings: {%s}
`, sensor, settings), 0o644)
		return "export LC_ALL=C.UTF-8; cd /root/ansible && ansible-playbook -i localhost, test.yml"
	}
	run := play("192.0.2.1", "MaxCPU: 50")
	s.wants(run+" --syntax-check", "test.yml")
	out := s.run(run + " --check --diff")
	if s.exists("/usr/sbin/rpcapd") || s.exists("/etc/apt/sources.list.d/rpcapd.sources") || strings.Contains(out, "changed=0") {
		t.Errorf("check mode on a fresh host:\n%s", out)
	}
	s.wants(run, "failed=0")
	s.wants("cat "+ini, "\nActiveClient = 192.0.2.1, 2003, ifname=lo\nActiveClient = 192.0.2.7, 2004, ifaddr=10.0.0.0/8, fanout=2\nNullAuthPermit = YES\nMaxCPU = 50\n")
	s.wants("stat -c '%U:%G %a' "+ini, "root:rpcapd 640")
	s.wants("systemctl is-active rpcapd", "active")
	s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")
	s.wants(run, "changed=0", "failed=0")
	s.wants(run+" --check", "changed=0", "failed=0")

	pid := s.pid("rpcapd")
	s.wants(play("192.0.2.2", "MaxCPU: 50"), "changed=2", "failed=0") // the file, and the reload
	s.until(settleLimit, "rpcapd status", "192.0.2.2:2003")
	if s.pid("rpcapd") != pid {
		t.Error("the agent was restarted")
	}
	before := s.read(ini)
	s.refuses("a mistake", play("192.0.2.3", "MaxCPU: banana"), "MaxCPU")
	if s.read(ini) != before || s.pid("rpcapd") != pid {
		t.Error("a refused configuration changed something")
	}
}

package packages

import (
	"bufio"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rpcapd/test/ports"
)

// installer returns the install script of a version for this machine.
func installer(t *testing.T, version string) string { return file(t, version, "install-rpcapd-*.sh") }

// minimalTools is all that the install script may use.
const minimalTools = "dash tar gzip sed grep"

// newMinimal makes a system that has a shell, coreutils, tar, gzip, sed and grep, and nothing else. Commands run in the
// host's network, so that they reach what listens on its loopback.
func newMinimal(t *testing.T, more ...string) *system {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("REQUIRE_ROOT") == "1" {
			t.Fatal("REQUIRE_ROOT=1, and this is not root")
		}
		t.Skip("changes its root directory: needs root")
	}
	root := t.TempDir()
	out, err := exec.Command("dpkg-query", "-L", "coreutils").Output()
	if err != nil {
		t.Skip("takes its programs from Debian's packages: ", err)
	}
	var names []string
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); strings.Contains(line, "bin/") {
			names = append(names, filepath.Base(line))
		}
	}
	names = append(append(names, strings.Fields(minimalTools)...), more...)
	var paths []string
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil { // else this host lacks it, such as a link of an older package
			paths = append(paths, path)
		}
	}
	copyPrograms(t, root, paths)
	s := &system{t: t, root: root}
	s.in = func(env []string, name string, args ...string) *exec.Cmd {
		script := fmt.Sprintf("mount --bind /proc %[1]s/proc && mount -t tmpfs tmpfs %[1]s/dev && mknod -m 666 %[1]s/dev/null c 1 3 && exec chroot %[1]s \"$@\"", root)
		cmd := exec.Command("unshare", append([]string{"-m", "-p", "-f", "--kill-child", "sh", "-c", script, "sh", name}, args...)...)
		cmd.Env = env
		return cmd
	}
	for _, d := range []string{"proc", "dev", "tmp", "etc", "root"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("dash", filepath.Join(root, "bin/sh")); err != nil {
		t.Fatal(err)
	}
	s.write("/etc/passwd", "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n", 0o644)
	s.write("/etc/group", "root:x:0:\nnogroup:x:65534:\n", 0o644)
	return s
}

// copyPrograms copies programs into /bin of a root directory, and their libraries.
func copyPrograms(t *testing.T, root string, paths []string) {
	t.Helper()
	put := func(from, to string) {
		to = filepath.Join(root, to)
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range paths {
		put(path, "/bin/"+filepath.Base(path))
	}
	libs, _ := exec.Command("ldd", paths...).Output() // it complains of the static ones among them
	for _, word := range strings.Fields(string(libs)) {
		if strings.HasPrefix(word, "/") && !strings.HasSuffix(word, ":") { // a library, not the heading of a program
			if _, err := os.Stat(filepath.Join(root, word)); err != nil {
				put(word, word)
			}
		}
	}
}

// sensor runs rpcap-sensor on the loopback of the host and returns its port.
func sensor(t *testing.T) string {
	t.Helper()
	port := fmt.Sprint(ports.Free(t))
	program := filepath.Join(t.TempDir(), "rpcap-sensor")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "./cmd/rpcap-sensor")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(program, "--listen", "127.0.0.1:"+port, "--udp-port", fmt.Sprint(ports.Free(t)), "--udp-ports", "1", "-w", os.DevNull)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	ready := make(chan bool, 1)
	go func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			if strings.Contains(lines.Text(), "waiting for agents") {
				ready <- true
			}
		}
	}()
	select {
	case <-ready:
	case <-time.After(40 * time.Second):
		t.Fatal("the sensor does not start")
	}
	return port
}

func (s *system) putInstaller(version string) {
	s.t.Helper()
	s.put(installer(s.t, version), "/root/install.sh")
}

// TestRootInstallScript: with nothing but a shell and the basic tools it installs, connects, upgrades, changes the sensor and removes
// all it has installed; each step can be repeated.
func TestRootInstallScript(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package")
	}
	s := newMinimal(t)
	port := sensor(t)
	s.putInstaller(newVersion)
	s.wants("sh /root/install.sh -h", "Usage: install.sh [OPTIONS] [HOST [PORT]]", "--uninstall")
	s.wants("sh /root/install.sh 127.0.0.1 "+port, "service manager: none", "wrote /usr/sbin/rpcapd",
		"added: ActiveClient = 127.0.0.1, "+port, "sensor 127.0.0.1:"+port+": reached, authenticated, waiting for rules", "start the agent with: /usr/sbin/rpcapd -d", "done")
	s.wants("rpcapd version", newVersion)
	if out := s.run("sh /root/install.sh 127.0.0.1 " + port); strings.Contains(out, "wrote") || !strings.Contains(out, "nothing to change") {
		t.Errorf("the second time:\n%s", out)
	}
	s.edit(ini, edited)
	s.wants("sh /root/install.sh -k 127.0.0.1 "+port, "the configuration is kept")
	if got := s.read(ini); got != edited {
		t.Errorf("-k has changed the configuration:\n%s", got)
	}
	s.wants("sh /root/install.sh -c 127.0.0.1 "+port+"; sh /root/install.sh -c 127.0.0.1 "+port, "line 2 made a comment: ActiveClient = 192.0.2.1, 2003", "reached, authenticated")
	s.wants("stat -c %a "+ini, "640")
	s.edit(ini, broken)
	if out, code := s.try("sh /root/install.sh -k"); code == 0 || !strings.Contains(out, "rpcapd.ini:1: ") || !strings.Contains(out, "left as it is") {
		t.Errorf("with a broken configuration: status %d\n%s", code, out)
	}
	s.wants("sh /root/install.sh --uninstall", "rpcapd.ini stays")
	if got := s.read(ini); got != broken {
		t.Errorf("the removal has changed the configuration:\n%s", got)
	}
	nothingLeft := func() {
		t.Helper()
		out, _ := exec.Command("find", s.root, "-iname", "*rpcapd*", "-not", "-path", s.root+"/proc/*").Output()
		if strings.TrimSpace(string(out)) != "" {
			t.Errorf("this is left:\n%s", out)
		}
	}
	s.wants("sh /root/install.sh --uninstall --purge", "removed the configuration") // what the first removal has left
	nothingLeft()
	if out, code := s.try("sh /root/install.sh --uninstall --purge"); code == 0 || !strings.Contains(out, "nothing to remove") {
		t.Errorf("a third removal: status %d, %s", code, out)
	}
	s.write("/usr/sbin/rpcapd", "somebody's own", 0o755)
	s.write(ini, edited, 0o640)
	if out, code := s.try("sh /root/install.sh --uninstall --purge"); code == 0 || !strings.Contains(out, "nothing is removed") || !s.exists(ini) {
		t.Errorf("an agent that the script has not installed: status %d, %s", code, out)
	}
	s.run("rm -r /usr/sbin/rpcapd /etc/rpcapd")
	s.putInstaller(newVersion)
	s.run("sh /root/install.sh -k; sh /root/install.sh --uninstall --purge")
	nothingLeft()
	for command, want := range map[string]string{
		"--uninstall":         "nothing to remove",
		"-c":                  "name the sensor",
		"-x":                  "unknown option -x",
		"host 12x":            "port 12x is no number",
		"-u http://x/y":       "only https",
		"-i /nowhere host":    "no such directory",
		"-u https://x -i /y ": "exclude each other",
	} {
		if out, code := s.try("sh /root/install.sh " + command); code == 0 || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, %s", command, code, out)
		}
	}
	text := s.read("/root/install.sh")
	s.write("/root/cut.sh", text[:len(text)-100000], 0o644)
	if out, code := s.try("sh /root/cut.sh"); code == 0 || !strings.Contains(out, "the archive is damaged") {
		t.Errorf("a script that is cut off: status %d, %s", code, out)
	}
	if s.exists("/usr/sbin/rpcapd") {
		t.Error("a script that is cut off has installed something")
	}
}

// TestRootInstallScriptImage: -o writes an image, -i takes an unpacked archive.
func TestRootInstallScriptImage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package")
	}
	s := newMinimal(t)
	s.put(file(t, newVersion, "rpcapd-*-linux-*.tar.gz"), "/root/files.tar.gz")
	s.putInstaller(newVersion)
	s.run("mkdir /root/files && tar -xzf /root/files.tar.gz -C /root/files")
	for _, kind := range []struct{ name, file string }{
		{"systemd", "/etc/systemd/system/rpcapd.service"}, {"debian", "/etc/init.d/rpcapd"}, {"rhel", "/etc/sysconfig/rpcapd"}, {"openrc", "/etc/conf.d/rpcapd"},
	} {
		s.wants("sh /root/install.sh -s "+kind.name+" -i /root/files -o /image-"+kind.name+" sensor.example 2044", "done; the files are below /image-"+kind.name)
		if !s.exists("/image-"+kind.name+kind.file) || !strings.Contains(s.read("/image-"+kind.name+ini), "\nActiveClient = sensor.example, 2044\n") {
			t.Errorf("%s: %s or the line is missing", kind.name, kind.file)
		}
	}
	// A wget that may not check certificates, such as that of busybox, is not used.
	s.write("/bin/wget", "#!/bin/sh\necho busybox\n", 0o755)
	if out, code := s.try("sh /root/install.sh -o /fetched -u https://mirror.example"); code == 0 || !strings.Contains(out, "-u needs curl or GNU wget") {
		t.Errorf("status %d, %s", code, out)
	}
	if s.exists("/usr/sbin/rpcapd") || s.exists("/etc/rpcapd") {
		t.Error("-o has written into the system itself")
	}
}

// TestRootInstallScriptMirror: what comes over the network is installed only if the certificate and the checksum are right.
func TestRootInstallScriptMirror(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a package")
	}
	for _, tool := range []string{"curl", "wget"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("not tested with %s, which is not here", tool)
			continue
		}
		t.Run(tool, func(t *testing.T) { mirror(t, tool) })
	}
}

func mirror(t *testing.T, tool string) {
	s := newMinimal(t, tool)
	s.putInstaller(newVersion)
	files := http.FileServer(http.Dir(built(t, newVersion)))
	bad := false
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(w, r)
		if bad && strings.HasSuffix(r.URL.Path, ".gz") {
			t.Error("it was asked for what is not in the list")
		}
	}))
	server.Config.ErrorLog = nil
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	server.StartTLS()
	defer server.Close()
	s.write("/etc/ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})), 0o644)
	if out, code := s.try("sh /root/install.sh -u " + server.URL); code == 0 || s.exists("/usr/sbin/rpcapd") || !strings.Contains(out, "cannot fetch") {
		t.Errorf("an unknown certificate was accepted: status %d, %s", code, out)
	}
	trust := "CURL_CA_BUNDLE=/etc/ca.pem"
	if tool == "wget" {
		s.write("/etc/wgetrc", "ca_certificate = /etc/ca.pem\n", 0o644)
		trust = "SYSTEM_WGETRC=/etc/wgetrc"
	}
	out, code := s.try("sh /root/install.sh -u "+server.URL, trust)
	if code != 0 || !strings.Contains(s.run("rpcapd version"), newVersion) {
		t.Fatalf("status %d, %s", code, out)
	}
}

// TestInstallScriptServices: it finds the service manager, and the service can be started, asked, reloaded and stopped.
func TestInstallScriptServices(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		t.Run("debian", func(t *testing.T) {
			s := newSystem(t, suite)
			s.putInstaller(newVersion)
			s.write("/etc/rpcapd/rpcapd.ini", edited, 0o640)
			s.wants("sh /root/install.sh -k -n -o /root/image", "service manager: none")
			s.run("rm -f /sbin/init && mkdir -p /etc/init.d /etc/rc2.d") // init leads to systemd
			s.wants("sh /root/install.sh -k -n", "service manager: debian")
			s.initScript("/etc/init.d/rpcapd", "rpcapd is running")
			if !s.exists("/etc/rc2.d/S01rpcapd") && !s.exists("/etc/rc2.d/S90rpcapd") {
				t.Error("it does not start with the host")
			}
			s.run("sh /root/install.sh --uninstall --purge")
			if out := s.run("ls /etc/rc2.d"); strings.Contains(out, "rpcapd") || s.exists("/etc/init.d/rpcapd") {
				t.Errorf("left behind: %s", out)
			}
		})
		t.Run("rhel", func(t *testing.T) {
			s := newSystem(t, suite)
			s.putInstaller(newVersion)
			s.write("/etc/rpcapd/rpcapd.ini", edited, 0o640)
			s.run("mkdir -p /etc/rc.d/init.d /etc/rc.d/rc3.d /var/lock/subsys && rm -rf /lib/lsb /sbin/init /usr/sbin/update-rc.d && sh /root/install.sh -k -n")
			s.initScript("/etc/init.d/rpcapd", "is running...")
		})
		t.Run("systemd", func(t *testing.T) {
			s := newMachine(t, suite)
			s.putInstaller(newVersion)
			s.wants("sh /root/install.sh -n 192.0.2.1; systemctl start rpcapd", "service manager: systemd", "made the system user rpcapd")
			s.until(settleLimit, "rpcapd status", "192.0.2.1:2003")
			s.wants("systemctl is-enabled rpcapd", "enabled")
			s.wants("stat -c %U /proc/"+s.pid("rpcapd"), "rpcapd")
			s.run("sh /root/install.sh --uninstall --purge")
			if out, _ := s.try("systemctl is-active rpcapd; pidof rpcapd"); strings.TrimSpace(out) != "inactive" {
				t.Errorf("after removal: %s", out)
			}
			// It leaves an installation alone that the package manager looks after.
			s.installDeb(t, "rpcapd", newVersion)
			if out, code := s.try("sh /root/install.sh -k"); code == 0 || !strings.Contains(out, "belongs to the package rpcapd") {
				t.Errorf("status %d, %s", code, out)
			}
		})
	})
}

// TestInstallScriptImageUser: the service of an image finds the user that it runs as, with its file.
func TestInstallScriptImageUser(t *testing.T) {
	onDebian(t, func(t *testing.T, suite string) {
		s := newSystem(t, suite)
		s.putInstaller(newVersion)
		s.run("mkdir -p /image/etc && cp /etc/passwd /etc/group /etc/shadow /etc/gshadow /image/etc/")
		s.wants("sh /root/install.sh -s systemd -o /image 192.0.2.1", "made the system user rpcapd in the image")
		s.wants("test $(stat -c %g /image"+ini+") = $(sed -n 's/^rpcapd:[^:]*:\\([0-9]*\\).*/\\1/p' /image/etc/group) && echo same", "same")
		if strings.Contains(s.read("/etc/passwd"), "rpcapd") {
			t.Error("-o has made a user in the system itself")
		}
		if out, code := s.try("sh /root/install.sh -s systemd -o /empty"); code != 0 || !strings.Contains(out, "the image has no user rpcapd") {
			t.Errorf("status %d, %s", code, out)
		}
	})
}

// initScript calls every verb of an init script. The commands are one process tree: a daemon ends with it.
func (s *system) initScript(path, running string) {
	s.t.Helper()
	s.wants(strings.Join([]string{
		"set -e", path + " start", path + " start", path + " status", path + " reload", "rpcapd status | head -1",
		path + " restart", path + " try-restart", path + " status", path + " stop", path + " stop",
		path + " status || echo stopped has status $?", path + " try-restart",
		"echo 'ActiveClient = x, 0' >" + ini, path + " start || echo broken has status $?",
	}, "\n"), running, "process ", "stopped has status 3", "broken has status 1", "rpcapd.ini:1: ")
	if out, code := s.try("rm -f /usr/sbin/rpcapd; " + path + " start"); code != 5 {
		s.t.Errorf("without the program: status %d, want 5; %s", code, out)
	}
}

// TestInstallScriptMigrates: it takes over from the C agent's installation.
func TestInstallScriptMigrates(t *testing.T) {
	full(t)
	s := newSystem(t, suites[0])
	s.putInstaller(newVersion)
	s.write("/opt/extrahop/etc/rpcapd.ini", "ActiveClient = 192.0.2.9, 2003, ifname=eth7\nActiveClient = 192.0.2.9\nNullAuthPermit = YES\n", 0o644)
	s.write("/etc/init.d/rpcapd", "#!/bin/sh\nDAEMON=/opt/extrahop/sbin/rpcapd\necho $1 >>/root/calls\n: $DAEMON -v -d -L -f /opt/extrahop/etc/rpcapd.ini -i eth1 -t 1400\n", 0o755)
	s.wants("sh /root/install.sh -n -s debian", "found an installation of the C agent", "added: ActiveClient = 192.0.2.9, 2003, ifname=eth7", "added: ActiveClient = 192.0.2.9, 2003, ifname=eth1", "RPCAPD_OPTIONS=\"-t 1400\"")
	if got := s.read("/root/calls"); got != "stop\n" {
		t.Errorf("its script was called with %q", got)
	}
	if !strings.Contains(s.read("/etc/init.d/rpcapd"), "### BEGIN INIT INFO") || !s.exists("/etc/init.d/rpcapd.dpkg-old") || !s.exists(ini+".extrahop") {
		t.Error("the script was not replaced, or no copy is kept")
	}
	if out := s.run("sh /root/install.sh -n -s debian"); strings.Contains(out, "C agent") {
		t.Errorf("the second time it migrates again:\n%s", out)
	}
}

// TestInstallScriptOpenRC starts, reloads and stops the service with OpenRC's own tools.
func TestInstallScriptOpenRC(t *testing.T) {
	full(t)
	s := newSystem(t, suites[0], "openrc")
	s.putInstaller(newVersion)
	s.write("/etc/rpcapd/rpcapd.ini", edited, 0o640)
	s.run("rm -f /sbin/init && mkdir -p /run/openrc && touch /run/openrc/softlevel")
	s.wants("sh /root/install.sh -k -n && rc-update show default", "service manager: openrc", "rpcapd | default")
	s.wants(strings.Join([]string{
		"set -e", "mkdir -p /run/openrc && touch /run/openrc/softlevel", "rc-service -D rpcapd start", "rc-service rpcapd status", "rc-service rpcapd reload", "rpcapd status | head -1",
		"rc-service -D rpcapd restart", "rc-service rpcapd status", "rc-service rpcapd stop", "rc-service rpcapd status || echo stopped has status $?",
		"echo 'ActiveClient = x, 0' >" + ini, "rc-service -D rpcapd start || echo broken has status $?",
	}, "\n"), "status: started", "reloaded: process", "process ", "stopped has status 3", "broken has status 1", "rpcapd.ini:1: ")
	s.run("sh /root/install.sh --uninstall --purge")
	if out := s.run("rc-update show default"); strings.Contains(out, "rpcapd") {
		t.Errorf("left behind: %s", out)
	}
}

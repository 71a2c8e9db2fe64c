package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"rpcapd/test/netlab"
)

// asProgram makes the test binary the program.
const asProgram = "FRESH_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	netlab.Main(m)
}

// decoys are what an installation, a running service and a running systemd leave.
var decoys = []string{
	"/etc/rpcapd/rpcapd.ini", "/etc/default/rpcapd", "/etc/init.d/rpcapd", "/usr/sbin/rpcapd", "/usr/share/rpcapd/rpcapd.ini",
	"/usr/lib/systemd/system/rpcapd.service", "/var/lib/rpcap-sensor/all.pcapng", "/run/rpcapd/status.json", "/run/rpcapd-two/rpcapd.lock",
	"/run/systemd/system/x.service", "/run/systemd/journal/socket", "/opt/extrahop/etc/rpcapd.ini",
}

// plant puts the decoys into the mount namespace of the tests: the machine's folders are covered, not changed.
var plant = sync.OnceValue(func() error {
	for _, dir := range []string{"/etc", "/etc/default", "/etc/init.d", "/usr/sbin", "/usr/share", "/usr/lib/systemd/system", "/var/lib", "/opt"} {
		if _, err := os.Stat(dir); err != nil {
			continue // it is made in its parent
		}
		if err := without(dir, nil); err != nil {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	for _, name := range []string{"/etc/passwd", "/etc/group"} {
		if err := replaceAccounts(name, "rpcapd:x:990:990::/:/bin/false\n"); err != nil {
			return err
		}
	}
	for _, path := range decoys {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte("# decoy\n"), 0o755); err != nil {
			return err
		}
	}
	return nil
})

// look tells what of an installation it sees, and with whose rights.
func look() []string {
	script := "for p in " + strings.Join(decoys, " ") + "; do\nif [ -e $p ]; then echo sees $p; fi\nd=${p%/*}\ncase $d in\n*rpcap*|*/extrahop/*|*/systemd/*/*|/run/systemd/*) if [ -e $d ]; then echo sees $d; fi;;\nesac\ndone\n" +
		"grep -H ^rpcap /etc/passwd /etc/group\nenv | grep -E '^(RPCAP|NOTIFY)'\necho uid $(id -u)\ngrep CapEff /proc/self/status\n" +
		"[ -e /etc/hosts ] && [ -e /usr/share/zoneinfo -o -e /usr/share/doc ] && [ -x /bin/sh ] && echo the rest\necho in $PWD\nexit 7\n"
	return []string{"sh", "-c", script}
}

func TestRootNothingOfOursIsSeen(t *testing.T) {
	netlab.Require(t)
	if err := plant(); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("RPCAPD_SENSOR", "192.0.2.1")
	t.Setenv("NOTIFY_SOCKET", "/run/systemd/notify")
	t.Setenv("REQUIRE_ROOT", "1")
	t.Chdir(t.TempDir()) // what -user copies
	for name, c := range map[string]struct {
		args      []string
		anybody   bool // the program is started by an ordinary user
		realRoot  bool
		uid, says string
		sees      bool
	}{
		"in sight":                {args: look(), uid: "0", sees: true},
		"root":                    {args: append([]string{self}, look()...), uid: "0", says: "as root on "},
		"an ordinary user":        {args: append([]string{self}, look()...), anybody: true, says: "as an ordinary user on "},
		"root as an ordinary one": {args: append([]string{self, "-user"}, look()...), realRoot: true, uid: fmt.Sprint(userID), says: "as an ordinary user on "},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(c.args[0], c.args[1:]...)
			cmd.Env = append(os.Environ(), asProgram+"=1")
			switch oneUser := oneUserOnly(t); {
			case oneUser && c.realRoot:
				t.Skip("root of a user namespace cannot become another user")
			case oneUser && c.anybody:
				cmd = netlab.AsAnybody(cmd)
			case c.anybody:
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 64000, Gid: 64000}}
				cmd.Args[0], cmd.Path = "/proc/self/exe", executable(t, self)
			}
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != 7 {
				t.Fatalf("exit %d, %v, want that of the command, 7\n%s", code, err, out)
			}
			text := string(out)
			for _, path := range decoys {
				if seen := strings.Contains(text, "sees "+path+"\n"); seen != c.sees {
					t.Errorf("%s is seen: %t", path, seen)
				}
			}
			for _, word := range []string{"sees /run/rpcapd\n", "sees /run/systemd/system\n", "sees /etc/rpcapd\n", "/etc/passwd:rpcapd", "/etc/group:rpcapd", "RPCAPD_SENSOR=", "NOTIFY_SOCKET="} {
				if strings.Contains(text, word) != c.sees {
					t.Errorf("%q: want %t", word, c.sees)
				}
			}
			if !strings.Contains(text, "the rest\n") || !strings.Contains(text, c.says) || !strings.Contains(text, "uid "+c.uid) {
				t.Errorf("not what was wanted:\n%s", text)
			}
			if _, dir, found := strings.Cut(text, "in /tmp/fresh-"); found {
				room := "/tmp/fresh-" + strings.Split(dir, "/")[0]
				if _, err := os.Stat(room); err == nil {
					t.Errorf("%s is left behind", room)
				}
			} else if c.realRoot {
				t.Errorf("not in a copy of the working directory:\n%s", text)
			}
			if strings.Contains(c.says, "ordinary") && !strings.Contains(text, "CapEff:\t0000000000000000\n") {
				t.Errorf("capabilities are left:\n%s", text)
			}
		})
	}
}

// oneUserOnly says that the namespaces of the test know one user.
func oneUserOnly(t *testing.T) bool {
	t.Helper()
	users, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(users))
	return len(f) == 3 && f[2] == "1"
}

// executable copies the test binary to where everybody may run it.
func executable(t *testing.T, self string) string {
	t.Helper()
	data, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("/run", filepath.Base(self))
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// Where nothing can be hidden the command runs all the same, unless it must not.
func TestRootCannotHide(t *testing.T) {
	netlab.Require(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("setpriv is needed to take a capability away")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for require, c := range map[string]struct {
		code int
		ran  bool
		want string
	}{
		"0": {3, true, "with the files of this machine in sight, since they cannot be hidden: make a mount namespace: "},
		"1": {exitNotHidden, false, "fresh: the files of this machine cannot be hidden: make a mount namespace: "},
	} {
		cmd := exec.Command("setpriv", "--bounding-set", "-sys_admin", self, "sh", "-c", "echo ran; exit 3")
		cmd.Env = append(os.Environ(), asProgram+"=1", "REQUIRE_ROOT="+require)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != c.code || strings.HasPrefix(string(out), "ran\n") != c.ran || !strings.Contains(string(out), c.want) {
			t.Errorf("REQUIRE_ROOT=%s: exit %d\n%s", require, code, out)
		}
	}
}

package host

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rpcapd/doctor"
)

// TestLimit: a limit that is too small is a warning with the command that raises it.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	old := sysctls
	sysctls = dir + "/"
	t.Cleanup(func() { sysctls = old })
	if err := os.MkdirAll(filepath.Join(dir, "net", "core"), 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]doctor.State{
		"212992\n": doctor.StateWarning, "33554432\n": doctor.StateOK, "67108864\n": doctor.StateOK, "x\n": doctor.StateNotChecked,
	} {
		if err := os.WriteFile(filepath.Join(dir, "net", "core", "rmem_max"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		r := Limit("net.core.rmem_max", 32<<20, "bursts are lost")
		if r.State != want || want == doctor.StateWarning && !strings.Contains(r.Cure, "sysctl -w net.core.rmem_max=33554432") {
			t.Errorf("%q: %+v", text, r)
		}
	}
	if r := Limit("net.core.other", 1, ""); r.State != doctor.StateNotChecked {
		t.Errorf("%+v", r)
	}
}

// TestUnitResult: what systemctl shows, and what it means.
func TestUnitResult(t *testing.T) {
	for shown, want := range map[string]struct {
		state doctor.State
		cure  string
	}{
		"LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=enabled\n":          {doctor.StateOK, ""},
		"LoadState=loaded\nActiveState=active\nSubState=running\nUnitFileState=disabled\n":         {doctor.StateWarning, "systemctl enable x"},
		"LoadState=loaded\nActiveState=failed\nSubState=failed\nUnitFileState=enabled\n":           {doctor.StateFailed, "journalctl -u x"},
		"LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nUnitFileState=enabled\n": {doctor.StateFailed, "journalctl -u x"},
		"LoadState=loaded\nActiveState=inactive\nSubState=dead\nUnitFileState=disabled\n":          {doctor.StateWarning, "systemctl enable --now x"},
		"LoadState=masked\nActiveState=inactive\n":                                                 {doctor.StateWarning, "systemctl unmask x"},
		"LoadState=not-found\nActiveState=inactive\n":                                              {doctor.StateNotChecked, ""},
	} {
		if r := unitResult("x", shown); r.State != want.state || !strings.Contains(r.Cure, want.cure) {
			t.Errorf("%q: %+v", shown, r)
		}
	}
}

func TestClockResult(t *testing.T) {
	if r := clockResult(true, nil); r.State != doctor.StateWarning || !strings.Contains(r.Cure, "timedatectl") {
		t.Errorf("%+v", r)
	}
	if r := clockResult(false, nil); r.State != doctor.StateOK {
		t.Errorf("%+v", r)
	}
}

// TestSecret: modes, and what is wrong with them.
func TestSecret(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes are no rights on Windows")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "rpcapd.ini")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		mode   os.FileMode
		secret bool
		want   doctor.State
	}{
		{0o600, true, doctor.StateOK}, {0o640, true, doctor.StateOK}, {0o644, false, doctor.StateOK},
		{0o644, true, doctor.StateWarning}, {0o666, false, doctor.StateWarning},
	} {
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		if r := Secret(path, c.secret); r.State != c.want || c.want == doctor.StateWarning && !strings.Contains(r.Cure, "chmod") {
			t.Errorf("%04o, secret %v: %+v", c.mode, c.secret, r)
		}
	}
	if r := Secret(path+"x", false); r.State != doctor.StateFailed {
		t.Errorf("%+v", r)
	}
}

// TestRedact: what a log or a file could hold of secrets goes, the rest stays.
func TestRedact(t *testing.T) {
	for _, secret := range []string{
		"Account = name, $2a$10$abcdefghijklmnopqrstuuSECRETSECRETSECRETSECRETSECRETSE", "Password = SECRET", `password="SECRET words"`,
		"token: SECRET", "Authorization: Basic SECRET", "https://user:SECRET@host/path", "community=SECRET",
		"-----BEGIN EC PRIVATE KEY-----\nSECRET\n-----END EC PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nSECRET",
	} {
		got := string(Redact([]byte("before " + secret + "\nafter")))
		if strings.Contains(got, "SECRET") || !strings.HasPrefix(got, "before ") {
			t.Errorf("%q became %q", secret, got)
		}
	}
	if got := string(Redact([]byte("10.0.0.1:2003 connected, https://host/path"))); got != "10.0.0.1:2003 connected, https://host/path" {
		t.Errorf("%q", got)
	}
}

func TestFlagsOnly(t *testing.T) {
	if got := flagsOnly([]string{"rpcapd", "-n", "-a", "host", "--user=SECRET"}); got != "rpcapd -n -a --user" {
		t.Errorf("%q", got)
	}
}

package windows

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// repository is the folder of go.mod.
func repository(t testing.TB) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// programs builds both programs for Windows, once, and returns their folder, which ends with the namespaces.
func programs(t testing.TB) string {
	t.Helper()
	dir, err := builtPrograms()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

var builtPrograms = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("/run", "windows-")
	if err != nil {
		return "", err
	}
	_, err = goForWindows("../..", "build", "-buildvcs=false", "-o", dir+"/", "./cmd/rpcapd", "./cmd/rpcap-sensor")
	return dir, err
})

// goForWindows runs the go command and returns its standard output.
func goForWindows(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	var text strings.Builder
	cmd.Stderr = &text
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, text.String())
	}
	return string(out), err
}

// wine lacks SIO_UDP_NETRESET, with which package net has a UDP socket not report unreachable networks, and without which it
// opens none. The programs have sockets of their own (package udpsock) and are built as users get them. Tests that talk to them
// through package net are built with one that goes on without.
const (
	netSource = "src/net/fd_windows.go"
	netLine   = "windows.SIO_UDP_NETRESET, (*byte)(unsafe.Pointer(&flag)), size, nil, 0, &ret, nil, 0)\n\t\tif err != nil {"
	netMended = "windows.SIO_UDP_NETRESET, (*byte)(unsafe.Pointer(&flag)), size, nil, 0, &ret, nil, 0)\n\t\tif err != nil && err != syscall.Errno(10045) {"
)

// netOverlay writes what the go command needs for that to a folder, and returns the flag.
func netOverlay(dir string) (flag string, err error) {
	goroot, err := goForWindows(".", "env", "GOROOT")
	if err != nil {
		return "", err
	}
	source := filepath.Join(strings.TrimSpace(goroot), netSource)
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), netLine); n != 1 {
		return "", fmt.Errorf("%s has changed: %d times %q, want once; adapt netLine of this test", source, n, netLine)
	}
	mended, list := filepath.Join(dir, "fd_windows.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mended, []byte(strings.Replace(string(text), netLine, netMended, 1)), 0o644); err != nil {
		return "", err
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {source: mended}})
	if err != nil {
		return "", err
	}
	return "-overlay=" + list, os.WriteFile(list, b, 0o644)
}

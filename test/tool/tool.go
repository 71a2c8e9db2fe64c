// Package tool is for tests that run other programs, or something in their place.
package tool

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
)

// Need returns where a program is. Without it the test is skipped; under REQUIRE_ROOT=1, where make deps has installed what tests
// use, it fails.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch on, _ := strconv.ParseBool(os.Getenv("REQUIRE_ROOT")); {
	case err == nil:
	case on:
		t.Fatal(name + " is not installed (make deps installs it as root)")
	default:
		t.Skip(name + " is not installed")
	}
	return path
}

// Fake puts a script for /bin/sh where the test's code looks for the program. It skips the test where there is no shell.
func Fake(t testing.TB, name, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
}

package netlab

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Require skips a test that needs namespaces and has none, or fails it where they
// are required: with REQUIRE_ROOT=1 in the environment.
func Require(t testing.TB) {
	t.Helper()
	if Inside() {
		return
	}
	why := "namespaces are needed: TestMain must call netlab.Main"
	if reason != nil {
		why = reason.Error()
	}
	Missing(t, why)
}

// Missing skips a test that cannot run here, or fails it where it has to run: with
// REQUIRE_ROOT=1 in the environment.
func Missing(t testing.TB, why string) {
	t.Helper()
	if on, _ := strconv.ParseBool(strings.TrimSpace(os.Getenv("REQUIRE_ROOT"))); on {
		t.Fatal(why)
	}
	t.Skip(why)
}

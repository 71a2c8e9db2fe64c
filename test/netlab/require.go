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

// Full says that everything is to be run at full length, which takes minutes: with
// SYSTEM_LOAD=full in the environment, as make test-full has it.
func Full() bool { return os.Getenv("SYSTEM_LOAD") == "full" }

// Missing skips a test that cannot run here, or fails it where it has to run: with
// REQUIRE_ROOT=1 in the environment.
func Missing(t testing.TB, why string) {
	t.Helper()
	if on, _ := strconv.ParseBool(strings.TrimSpace(os.Getenv("REQUIRE_ROOT"))); on {
		t.Fatal(why)
	}
	t.Skip(why)
}

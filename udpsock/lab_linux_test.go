package udpsock

import (
	"os"
	"testing"
)

// skipUnlessRequired skips a privileged test with the reason, or fails where such tests must run.
func skipUnlessRequired(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("REQUIRE_ROOT") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

package deploy

import (
	"flag"
	"os"
	"testing"

	"rpcapd/test/netlab"
)

// update writes golden files instead of comparing with them.
var update = flag.Bool("update", false, "write the golden renderings")

// demanded says that nothing may be skipped.
func demanded() bool { return os.Getenv("TEST_DEPLOY") == "1" }

// full says that a test needs tools or root.
func full(t *testing.T) {
	t.Helper()
	if !demanded() {
		t.Skip("needs tools that are built for it: make test-deploy, as root")
	}
}

// TestMain builds the tools and the images first: in the namespaces there is no network.
func TestMain(m *testing.M) {
	flag.Parse()
	if demanded() && !netlab.Inside() && os.Getenv(preparedVariable) == "" {
		prepare()
		buildImages()
	}
	netlab.Main(m)
}

package system

import (
	"flag"
	"testing"

	"rpcapd/test/netlab"
)

// TestMain has four tests run beside each other, of those that measure nothing and mostly
// wait; -parallel has the last word. For ordinary users they run one by one: into their
// small receive buffers goes what comes in a few milliseconds.
func TestMain(m *testing.M) {
	atOnce := "4"
	if !manyUsers() {
		atOnce = "1"
	}
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	netlab.Main(m)
}

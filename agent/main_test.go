package agent

import (
	"testing"

	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) {
	holdIfTold()
	netlab.Main(m)
}

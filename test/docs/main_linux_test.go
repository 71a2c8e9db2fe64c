package docs

import (
	"testing"

	"rpcapd/test/netlab"
)

func TestMain(m *testing.M) { netlab.Main(m) }

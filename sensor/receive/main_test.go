package receive

import (
	"testing"

	"rpcapd/test/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

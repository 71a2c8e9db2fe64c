package build

import (
	"bytes"
	"strings"
	"testing"
)

func TestCommand(t *testing.T) {
	var out bytes.Buffer
	c := Command("rpcapd", "1.2.3", &out, nil)
	c.SetArgs(nil)
	if err := c.Execute(); err != nil || !strings.HasPrefix(out.String(), "rpcapd 1.2.3 (go") {
		t.Errorf("%q, %v", &out, err)
	}
	if got := Version("dev"); !strings.HasPrefix(got, "dev") {
		t.Errorf("not linked: %q", got)
	}
}

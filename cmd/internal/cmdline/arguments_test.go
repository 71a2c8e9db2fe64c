package cmdline

import (
	"testing"

	"github.com/spf13/pflag"
)

func TestRefuseEmpty(t *testing.T) {
	for _, tt := range []struct {
		args []string
		ok   bool
	}{
		{nil, true},
		{[]string{"--name", "eth0"}, true},
		{[]string{"--name", ""}, false},
		{[]string{"--name="}, false},
		{[]string{"--name", " "}, false},
		{[]string{"--list", "a,b"}, true},
		{[]string{"--list", ""}, false},
		{[]string{"--list", "a,,b"}, false},
		{[]string{"--array", "a"}, true},
		{[]string{"--array", "a", "--array", ""}, false},
		{[]string{"--number", "0"}, true},
		{[]string{"--folder", ""}, true},
	} {
		f := pflag.NewFlagSet("", pflag.ContinueOnError)
		f.String("name", "", "")
		f.String("folder", "x", "")
		f.StringSlice("list", nil, "")
		f.StringArray("array", nil, "")
		f.Int("number", 0, "")
		if err := f.Parse(tt.args); err != nil {
			t.Fatal(err)
		}
		if err := RefuseEmpty(f, "folder"); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
}

//go:build !windows

package main

import "testing"

// The operator's own options are merged, and none is lost without a trace; twice is as once.
func TestEditOptions(t *testing.T) {
	options := []string{"-t", "1400", "-4"}
	for text, want := range map[string]string{
		"":                                          "RPCAPD_OPTIONS=\"-t 1400 -4\"\n",
		"# a":                                       "# a\nRPCAPD_OPTIONS=\"-t 1400 -4\"\n",
		"RPCAPD_OPTIONS=\"\"\n#b\n":                 "RPCAPD_OPTIONS=\"-t 1400 -4\"\n#b\n",
		"RPCAPD_OPTIONS=\"-z 64M\"\n# b\nX=1\n":     "RPCAPD_OPTIONS=\"-z 64M -t 1400 -4\"\n# b\nX=1\n",
		"RPCAPD_OPTIONS=\"-t 1400 -c 3 -4\"\n":      "RPCAPD_OPTIONS=\"-t 1400 -c 3 -4\"\n",
		"RPCAPD_OPTIONS='-t1200 -c 3'\n":            "#RPCAPD_OPTIONS='-t1200 -c 3'\nRPCAPD_OPTIONS=\"-c 3 -t 1400 -4\"\n",
		"RPCAPD_OPTIONS=-4\nRPCAPD_OPTIONS=-S\n":    "RPCAPD_OPTIONS=-4\nRPCAPD_OPTIONS=\"-S -t 1400 -4\"\n",
		"#RPCAPD_OPTIONS=\"-z 64M\"\nOTHER=\"x\"\n": "#RPCAPD_OPTIONS=\"-z 64M\"\nOTHER=\"x\"\nRPCAPD_OPTIONS=\"-t 1400 -4\"\n",
	} {
		got, _, _ := editOptions(text, options)
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if again, _, kept := editOptions(got, options); again != got || kept {
			t.Errorf("%q: the second time %q", text, again)
		}
	}
}

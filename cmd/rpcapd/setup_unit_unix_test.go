//go:build unix

package main

import "testing"

func TestUnitOf(t *testing.T) {
	for file, want := range map[string]string{
		"/etc/rpcapd/rpcapd.ini": "rpcapd", "/etc/rpcapd/dmz.ini": "rpcapd@dmz", "/srv/dmz.ini": "rpcapd", "/etc/rpcapd/dmz": "rpcapd",
	} {
		if got := unitOf(file); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

//go:build !windows

package main

import "testing"

// TestSystemNames: the folder and the user that the service files and docs/SYSTEMS.md speak of.
func TestSystemNames(t *testing.T) {
	for system, want := range map[string][2]string{
		"linux": {"/run", "rpcapd"}, "freebsd": {"/var/run", "rpcapd"}, "dragonfly": {"/var/run", "rpcapd"},
		"darwin": {"/var/run", "_rpcapd"}, "netbsd": {"/var/run", "_rpcapd"}, "openbsd": {"/var/run", "_rpcapd"},
	} {
		users := usersOf(system)
		if got := [2]string{runFolder(system), users[0]}; got != want || users[len(users)-1] != "nobody" {
			t.Errorf("%s: %v, users %v", system, got, users)
		}
	}
}

package iface

import (
	"net"
	"runtime"
	"testing"
)

// TestList compares with the net package what both know, on loopback interfaces,
// which do not change while tests run.
func TestList(t *testing.T) {
	list, err := List()
	if err != nil {
		t.Fatal(err)
	}
	found, err := net.Interfaces()
	if err != nil && runtime.GOOS == "windows" {
		t.Skipf("package net cannot list interfaces (wine): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Flags&net.FlagLoopback == 0 {
			continue
		}
		n, ok := Selector{Name: f.Name}.First(list)
		if !ok {
			t.Errorf("%s is not in the list", f.Name)
			continue
		}
		i := list[n]
		addrs, err := f.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		if i.Index != f.Index || f.MTU > 0 && i.MTU != f.MTU || !i.Flags.Has(Loopback) || len(i.Addresses) != len(addrs) {
			t.Errorf("%+v, net has %+v with %v", i, f, addrs)
		}
	}
}

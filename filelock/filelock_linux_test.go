package filelock

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"rpcapd/test/netlab"
)

// TestHolderWithoutProcess: a lock of an open file belongs to no process, which the kernel says with number -1.
func TestHolderWithoutProcess(t *testing.T) {
	f := newFile(t)
	second, err := os.OpenFile(f.Name(), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	l := Range{}.flock(unix.F_WRLCK)
	if err := unix.FcntlFlock(second.Fd(), unix.F_OFD_SETLK, &l); err != nil {
		netlab.Missing(t, "the kernel has no lock of an open file: "+err.Error())
	}
	if pid, held, err := Holder(f, Range{}); pid != 0 || !held || err != nil {
		t.Errorf("process %d, held %v, %v, want process 0, held", pid, held, err)
	}
}

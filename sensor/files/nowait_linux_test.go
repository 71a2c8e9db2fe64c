package files

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"rpcapd/sensor/sink"
	"rpcapd/test/netlab"
)

// TestPromptWrites: a file, a device and a pipe get every byte in order, in writes of any length, whether or not the kernel can
// tell if it would wait; a pipe takes part of a write and the rest later.
func TestPromptWrites(t *testing.T) {
	var want []byte
	pieces := [][]byte{{}, {1}, bytes.Repeat([]byte{2}, 3), bytes.Repeat([]byte{3}, 300_000), {4}}
	for _, p := range pieces {
		want = append(want, p...)
	}
	write := func(o *OneFile) {
		t.Helper()
		for _, p := range pieces {
			if n, err := o.Write(p); n != len(p) || err != nil {
				t.Errorf("%s: %d bytes of %d, %v", o.Name(), n, len(p), err)
			}
		}
		if o.size != int64(len(want)) {
			t.Errorf("%s: size %d", o.Name(), o.size)
		}
	}
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	o, err := OpenOneFile(name)
	if err != nil {
		t.Fatal(err)
	}
	write(o)
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes in the file, %v", len(got), err)
	}
	_ = o.Close()

	if o, err = OpenOneFile("/dev/null"); err != nil {
		t.Fatal(err)
	}
	write(o)
	if o.prompt.raw == nil {
		t.Log("this kernel does not write to /dev/null without waiting")
	}
	_ = o.Close()

	fifo := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan []byte)
	go func() {
		b := make([]byte, len(want))
		_, _ = io.ReadFull(r, b)
		got <- b
	}()
	if o, err = OpenOneFile(fifo); err != nil {
		t.Fatal(err)
	}
	write(o)
	if b := <-got; !bytes.Equal(b, want) {
		t.Error("the pipe brought something else")
	}
	_ = r.Close()
	if _, err := o.Write([]byte{1}); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("a pipe without a reader: %v", err)
	}
	_ = o.Close()
}

// TestPromptWriteFails: the error of a full disk, and how much was written before, are those of a usual write.
func TestPromptWriteFails(t *testing.T) {
	o, err := OpenOneFile("/dev/full")
	if err != nil {
		netlab.Missing(t, err.Error())
	}
	defer o.Close()
	if n, err := o.Write(make([]byte, 1000)); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%d bytes, %v", n, err)
	}
	s := NewSingle("full", o, false, nil)
	f := s.Attach(testSource("a", "eth0", 1)).(sink.BatchFeed)
	f.Frames(batchOf(5, 100, 1))
	if err := s.Run(t.Context()); !errors.Is(err, syscall.ENOSPC) || f.Counters() != (sink.Counters{Dropped: 5}) {
		t.Errorf("%v, %+v", err, f.Counters())
	}
}

// TestPromptWriteDoesNotAllocate: nothing is allocated for a write.
func TestPromptWriteDoesNotAllocate(t *testing.T) {
	o, err := OpenOneFile("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	p := make([]byte, 1000)
	if n := testing.AllocsPerRun(100, func() { _, _ = o.Write(p) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package udpsock

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// The control message is laid out as WSACMSGHDR of ws2def.h, whatever the size of a pointer.
func TestSuperMessage(t *testing.T) {
	var m superMessage
	run := make([]byte, 3000)
	msg := m.hold(run, 1472)
	pointer := int(unsafe.Sizeof(uintptr(0)))
	if got, want := int(m.control.length), pointer+4+4+4; got != want {
		t.Errorf("length %d, want %d", got, want)
	}
	b := unsafe.Slice(msg.Control.Buf, msg.Control.Len)
	if b[pointer] != windows.IPPROTO_UDP || b[pointer+4] != optionSendMsgSize || b[pointer+8] != 0xc0 || b[pointer+9] != 5 {
		t.Errorf("% x", b)
	}
	if len(b)%pointer != 0 || msg.BufferCount != 1 || msg.Buffers.Len != 3000 || msg.Buffers.Buf != &run[0] {
		t.Errorf("%+v", msg)
	}
}

package udpsock

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// superMessage is the message of WSASendMsg with its control message UDP_SEND_MSG_SIZE: WSACMSGHDR, then the size. It points
// into itself and must not be copied while it is in use.
//
//	64 bits  32 bits  field
//	0        0        length of the control message without padding, as long as a pointer
//	8        4        level
//	12       8        type
//	16       12       bytes of a datagram, 32 bits
type superMessage struct {
	message windows.WSAMsg
	buffer  windows.WSABuf
	control struct {
		length      uintptr
		level, kind int32
		size        uint32
		_           uint32 // to the alignment of the next one
	}
}

// hold points the message at datagrams of size bytes laid end to end.
func (m *superMessage) hold(run []byte, size uint32) *windows.WSAMsg {
	m.buffer = windows.WSABuf{Len: uint32(len(run)), Buf: unsafe.SliceData(run)}
	c := &m.control
	c.length = unsafe.Offsetof(c.size) + unsafe.Sizeof(c.size)
	c.level, c.kind, c.size = windows.IPPROTO_UDP, optionSendMsgSize, size
	m.message = windows.WSAMsg{
		Buffers: &m.buffer, BufferCount: 1,
		Control: windows.WSABuf{Len: uint32(unsafe.Sizeof(*c)), Buf: (*byte)(unsafe.Pointer(c))},
	}
	return &m.message
}

package udpsock

import (
	"errors"
	"fmt"
)

// ErrMessageTooLong is what a TooLongError is, for errors.Is.
var ErrMessageTooLong = errors.New("datagram longer than the path takes")

// TooLongError says that the path to the remote takes only smaller datagrams than those that were to be sent, because its
// MTU has shrunk. What was not sent is to be cut anew into datagrams of at most Max bytes.
type TooLongError struct {
	Size int // bytes of the datagram that was refused
	Max  int // bytes of the largest that the path takes now, see Sender.MaxDatagram
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("send datagram of %d bytes: path takes %d", e.Size, e.Max)
}

// Is makes errors.Is(err, ErrMessageTooLong) true.
func (e *TooLongError) Is(target error) bool { return target == ErrMessageTooLong }

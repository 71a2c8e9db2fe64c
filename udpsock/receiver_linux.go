package udpsock

import (
	"errors"
	"syscall"
)

type receiveSocket struct{}

func (r *Receiver) prepare(syscall.RawConn, ListenOptions) error { return errors.ErrUnsupported }
func (r *Receiver) start(ListenOptions) error                    { return errors.ErrUnsupported }
func (r *Receiver) receive() error                               { return errors.ErrUnsupported }
func (r *Receiver) pollDrops()                                   {}

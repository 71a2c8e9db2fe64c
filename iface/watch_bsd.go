//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package iface

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// watch reads the routing socket, to which the kernel writes every change of interfaces, addresses and routes.
func watch(ctx context.Context, changed func()) error {
	socket, err := newRoutingSocket()
	if err != nil {
		return fmt.Errorf("watch interfaces: %w", err)
	}
	events := make(chan struct{}, 1)
	failed := make(chan error, 1)
	var receiver sync.WaitGroup
	receiver.Go(func() { failed <- receive(socket, events) })
	defer receiver.Wait()
	defer socket.Close() // ends the receiver
	changed()
	if err := gather(ctx, events, failed, changed); err != nil {
		return fmt.Errorf("watch interfaces: %w", err)
	}
	return nil
}

// receive reads messages until the socket is closed. That the kernel had to drop some is a change as well. events has room for
// one: more say nothing new.
func receive(socket *os.File, events chan<- struct{}) error {
	buffer := make([]byte, 64<<10)
	for {
		n, err := socket.Read(buffer)
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return err
		}
		if err == nil && !routeChanged(buffer[:n], watchedMessages) {
			continue
		}
		select {
		case events <- struct{}{}:
		default:
		}
	}
}

// newRoutingSocket hears of all families. It waits through the poller of the runtime, so that Close ends a read.
func newRoutingSocket() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_ROUTE, unix.SOCK_RAW, unix.AF_UNSPEC)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	unix.CloseOnExec(fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "routing socket"), nil
}

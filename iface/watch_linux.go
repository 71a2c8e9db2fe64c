package iface

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// watch subscribes to the changes that rtnetlink announces.
func watch(ctx context.Context, changed func()) error {
	socket, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	if err != nil {
		return fmt.Errorf("watch interfaces: %w", os.NewSyscallError("netlink subscribe", err))
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

// receive reads announcements until the socket is closed. That the kernel had to
// drop some is a change as well. events has room for one: more say nothing new.
func receive(socket *nl.NetlinkSocket, events chan<- struct{}) error {
	for {
		_, _, err := socket.Receive()
		switch {
		case err == nil, errors.Is(err, unix.ENOBUFS):
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
			continue
		default:
			return os.NewSyscallError("recvfrom", err)
		}
		select {
		case events <- struct{}{}:
		default:
		}
	}
}

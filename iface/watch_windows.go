package iface

import (
	"context"
	"os"
	"reflect"
	"sync"
	"time"

	"golang.org/x/sys/windows"
)

// pollEvery bounds how late a change is seen where the system does not tell.
const pollEvery = 2 * time.Second

// told are the channels of those who watch. Windows calls back on a thread of its own; a callback is never freed, so there
// is one for all.
var told struct {
	sync.Mutex
	channels map[chan struct{}]struct{}
	callback uintptr
}

// interfacesChanged is the callback of NotifyIpInterfaceChange and NotifyUnicastIpAddressChange. A full channel says all
// there is to say.
func interfacesChanged(_, _, _ uintptr) uintptr {
	told.Lock()
	defer told.Unlock()
	for c := range told.channels {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	return 0
}

// watch subscribes to the changes of interfaces and addresses. Where that is not to be had (wine accepts it and never calls), lists are
// compared.
func watch(ctx context.Context, changed func()) error {
	events := make(chan struct{}, 1)
	told.Lock()
	if told.channels == nil {
		told.channels = make(map[chan struct{}]struct{})
		told.callback = windows.NewCallback(interfacesChanged)
	}
	told.channels[events] = struct{}{}
	told.Unlock()
	defer func() {
		told.Lock()
		delete(told.channels, events)
		told.Unlock()
	}()

	var link, address windows.Handle
	if err := windows.NotifyIpInterfaceChange(windows.AF_UNSPEC, told.callback, nil, false, &link); err != nil {
		return os.NewSyscallError("NotifyIpInterfaceChange", err)
	}
	if link != 0 {
		defer cancel(link)
	}
	if err := windows.NotifyUnicastIpAddressChange(windows.AF_UNSPEC, told.callback, nil, false, &address); err != nil {
		return os.NewSyscallError("NotifyUnicastIpAddressChange", err)
	}
	if address != 0 {
		defer cancel(address)
	}
	var poller sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer poller.Wait()
	defer stop()
	if link == 0 || address == 0 {
		poller.Go(func() { poll(ctx, events) })
	}
	changed()
	return gather(ctx, events, nil, changed)
}

// cancel waits for a callback that runs.
func cancel(h windows.Handle) {
	_ = windows.CancelMibChangeNotify2(h) // a handle that is valid
}

// poll compares lists. One that cannot be read counts as unchanged: the next one is two seconds away.
func poll(ctx context.Context, events chan<- struct{}) {
	last, _ := List()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := List()
		if err != nil || reflect.DeepEqual(now, last) {
			continue
		}
		last = now
		select {
		case events <- struct{}{}:
		default:
		}
	}
}

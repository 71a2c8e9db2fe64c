package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

var errSilent = errors.New("the other addresses do not answer")

// dialFunc connects to one address.
type dialFunc func(context.Context, netip.Addr) (net.Conn, error)

// race connects to the first of the addresses that answers (RFC 8305): each attempt
// begins attemptDelay after the one before, or as soon as that one has failed, and the
// earlier ones go on. So addresses that are dead do not hold the session up. All of them
// are given up when one has won.
func race(ctx context.Context, addrs []netip.Addr, dial dialFunc) (net.Conn, netip.Addr, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		addr netip.Addr
		conn net.Conn
		err  error
	}
	results := make(chan result)
	started, running := 0, 0
	start := func() {
		a := addrs[started]
		started++
		running++
		go func() {
			conn, err := dial(ctx, a)
			results <- result{a, conn, err}
		}()
	}
	// Every attempt is waited for, so that none outlives the race; they end when ctx does.
	defer func() {
		cancel()
		for ; running > 0; running-- {
			if r := <-results; r.conn != nil {
				r.conn.Close()
			}
		}
	}()
	var failures dialFailures
	var rest <-chan time.Time
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, netip.Addr{}, append(failures, ctx.Err())
		case <-rest:
			return nil, netip.Addr{}, append(failures, errSilent)
		case <-next.C:
			if started < len(addrs) {
				start()
				next.Reset(attemptDelay)
			}
		case r := <-results:
			running--
			if r.err == nil {
				return r.conn, r.addr, nil
			}
			failures = append(failures, r.err)
			switch {
			case started < len(addrs):
				next.Reset(0)
			case running == 0:
				return nil, netip.Addr{}, failures
			}
		}
		// What has failed is worth another attempt soon, whatever the silent ones do.
		if started == len(addrs) && len(failures) > 0 && rest == nil {
			rest = time.After(silentRest)
		}
	}
}

// dialFailures are what the attempts ended with, on one line.
type dialFailures []error

func (f dialFailures) Unwrap() []error { return f }

func (f dialFailures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// dialOrder puts the address that was last connected to first and alternates between
// the families of the others, beginning with that of the resolver's first choice.
func dialOrder(addrs []netip.Addr, lastGood netip.Addr) []netip.Addr {
	if len(addrs) == 0 {
		return nil
	}
	var first, second []netip.Addr
	for _, a := range addrs {
		if a.Is4() == addrs[0].Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	order := make([]netip.Addr, 0, len(addrs))
	for len(first)+len(second) > 0 {
		if len(first) > 0 {
			order, first = append(order, first[0]), first[1:]
		}
		if len(second) > 0 {
			order, second = append(order, second[0]), second[1:]
		}
	}
	if i := slices.Index(order, lastGood); i > 0 {
		order = slices.Insert(slices.Delete(order, i, i+1), 0, lastGood)
	}
	return order
}

// dialSensor connects to one address of the sensor.
func (x *session) dialSensor(ctx context.Context, a netip.Addr, control func(string, string, syscall.RawConn) error) (net.Conn, error) {
	d := net.Dialer{
		Timeout: dialTimeout,
		Control: control,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	to := netip.AddrPortFrom(a, x.target.Port).String()
	conn, err := d.DialContext(ctx, "tcp", to)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", to, dialCause(err))
	}
	return conn, nil
}

// dialCause takes the words "dial tcp", the address and the name of the system call away from what net says: whoever
// wraps the error has named them.
func dialCause(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "dial" {
		err = op.Err
	}
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		err = call.Err
	}
	return err
}

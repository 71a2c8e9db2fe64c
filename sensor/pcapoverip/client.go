package pcapoverip

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"rpcapd/sensor/sink"
)

// announceAfter is how long a client must stay for the log to tell of it: probes of the port are gone by then.
const announceAfter = 500 * time.Millisecond

// announce tells of a client, once.
func (c *client) announce() {
	if c.announced.Swap(true) {
		return
	}
	c.mu.Lock()
	selection := cmp.Or(c.selection, everything)
	c.mu.Unlock()
	c.log.Info("client connected", zap.String("selection", selection), zap.String("certificate", c.certificate))
}

// requestError is answered.
type requestError struct{ error }

func (e requestError) Unwrap() error { return e.error }

// serve reads the request and writes the stream.
func (c *client) serve(ctx context.Context, in *input) error {
	line, err := c.request(ctx, in)
	if err != nil || ctx.Err() != nil {
		return err
	}
	selector, err := c.prepare(ctx, in, line)
	if err != nil || ctx.Err() != nil {
		return err
	}
	return c.deliver(ctx, in, selector)
}

// deliver writes the stream.
func (c *client) deliver(ctx context.Context, in *input, selector *sink.Selector) error {
	if selector != nil {
		defer selector.Close()
	}
	if flow, here, ok := flowOf(c.conn); ok {
		c.sink.opts.Own.add(flow, here)
		defer c.sink.opts.Own.remove(flow)
	}
	d := c.sink.newDelivery(c.conn, selector)
	defer c.sink.backlog.leave(d.reader)
	c.mu.Lock()
	c.delivery = d
	selection := cmp.Or(c.selection, everything)
	c.mu.Unlock()
	if selection != everything {
		c.announce()
	}
	soon := time.AfterFunc(c.sink.opts.announce, c.announce)
	defer soon.Stop()
	// A client that reads nothing must not hold up its own end.
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-in.gone:
			c.conn.abort()
		case <-done:
		}
	}()
	stop := context.AfterFunc(ctx, func() { c.conn.finishBy(time.Now().Add(drainTimeout)) })
	defer stop()
	err := d.run(ctx, in.gone)
	select {
	case <-in.gone:
		return in.err // the cause of a failed write
	default:
		return err
	}
}

// request waits for the line. A client that says nothing wants everything.
func (c *client) request(ctx context.Context, in *input) ([]byte, error) {
	select {
	case <-in.begun:
	case <-in.mute:
		return nil, nil
	case <-in.gone:
		return nil, in.err
	case <-ctx.Done():
		return nil, nil
	}
	timer := time.NewTimer(lineTimeout)
	defer timer.Stop()
	select {
	case line := <-in.line:
		if isTLS(line) {
			return nil, requestError{errTLS}
		}
		return line, nil
	case <-in.gone:
		return nil, in.err
	case <-ctx.Done():
		return nil, nil
	case <-timer.C:
		return nil, requestError{fmt.Errorf("the request has no end after %v; it is one line", lineTimeout)}
	}
}

// prepare compiles what the line asks for; nil is everything.
func (c *client) prepare(ctx context.Context, in *input, line []byte) (*sink.Selector, error) {
	sel, err := parseRequest(line)
	if err != nil {
		return nil, requestError{err}
	}
	c.mu.Lock()
	c.selection = describeSelection(sel)
	c.mu.Unlock()
	if sel.Everything() {
		return nil, nil
	}
	there, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-in.gone:
			cancel()
		case <-there.Done():
		}
	}()
	selector, err := c.sink.opts.Filters.compile(there, c.address.Addr(), sel, c.sink.backlog.linkTypes())
	switch {
	case ctx.Err() != nil:
		return nil, nil
	case there.Err() != nil: // the client has gone
		return nil, in.err
	case err != nil:
		return nil, requestError{err}
	}
	return selector, nil
}

func (c *client) served() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delivery != nil
}

// flowOf is how a connection is known; ok is false for one that is not TCP.
func flowOf(c *pacedConn) (f ownFlow, here netip.Addr, ok bool) {
	remote, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return f, here, false
	}
	local, err := netip.ParseAddrPort(c.LocalAddr().String())
	return ownFlow{plain(remote), local.Port()}, plain(local).Addr(), err == nil
}

// linkTypes are those of all sources, each once.
func (b *backlog) linkTypes() (all []uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.feeds {
		if !slices.Contains(all, f.source.LinkType) {
			all = append(all, f.source.LinkType)
		}
	}
	return all
}

package control

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/test/wait"
)

// half returns how much the budget has given away.
func (b *messageBudget) half() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.total
}

// noFilters is for rules without one.
type noFilters struct{ rule.Compiler }

func (noFilters) Check(context.Context, string) error { return nil }
func (noFilters) ForgetRefusals()                     {}

// TestLongMessages: the memory of a long message is the budget's until it is released. What nobody has asked for is not kept.
func TestLongMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		agent, ours := net.Pipe()
		b := newMessageBudget()
		c := newConnection(rpcap.NewConn(ours, rpcap.MaxReplyAccepted))
		c.limit(b, netip.MustParseAddr("10.0.0.2"))
		go c.run()
		long := rpcap.Header{Type: rpcap.TypeFindAllRequest.Reply(), PayloadLen: 2 * shortMessage}.Append(nil)
		long = append(long, make([]byte, 2*shortMessage)...)
		request := rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest)
		go func() {
			_, _ = agent.Read(make([]byte, len(request)))
			_, _ = agent.Write(long)
		}()
		m, err := c.request(t.Context(), rpcap.TypeFindAllRequest, request, replyTimeout)
		if err != nil || len(m.payload) != 2*shortMessage || b.half() < 2*shortMessage {
			t.Errorf("%v: %d bytes came, %d are the budget's", err, len(m.payload), b.half())
		}
		c.release()
		if n := b.half(); n != 0 {
			t.Errorf("%d bytes after the release", n)
		}
		for range 2 {
			if _, err := agent.Write(long); err != nil {
				t.Fatal(err)
			}
			if m := <-c.in; m.payload != nil || m.header.PayloadLen != 2*shortMessage {
				t.Errorf("%d bytes of %d that nobody has asked for are kept", len(m.payload), m.header.PayloadLen)
			}
			synctest.Wait()
			if n := b.half(); n != 0 {
				t.Errorf("%d bytes are held", n)
			}
		}
		c.close()
	})
}

// TestHalfReadMessages: connections that begin long messages and do not end them share what one address may have.
func TestHalfReadMessages(t *testing.T) {
	s, err := New(Config{
		Listen: netip.MustParseAddr("127.0.0.1"), Rules: []rule.Rule{{Name: "all"}}, Compiler: noFilters{}, Log: zap.NewNop(),
		Limits: Limits{Sessions: 100, SessionsPerAddress: 100},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		defer close(served)
		s.Serve(ctx)
	}()
	defer func() {
		stop()
		<-served
	}()
	const many = 40
	part := rpcap.Header{Type: rpcap.TypeAuthRequest.Reply(), PayloadLen: 1 << 20}.Append(nil)
	part = append(part, make([]byte, 1<<20-1)...)
	for range many {
		c, err := net.Dial("tcp", s.Addrs()[0].String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetWriteDeadline(time.Now().Add(40 * time.Second))
		_, _ = c.Write(part) // fails for one that gave way
	}
	wait.Until(t, "the others have given way", func() bool { return s.Counters().Ended >= many-maxHalfReadOfAddress>>20 })
	if n := s.budget.half(); n > maxHalfReadOfAddress || n == 0 {
		t.Errorf("%d bytes", n)
	}
}

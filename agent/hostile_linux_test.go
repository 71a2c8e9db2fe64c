package agent

import (
	"bytes"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"rpcapd/config"
	"rpcapd/rpcap"
	"rpcapd/udpstr"
)

// TestHostileSensors: each is answered as the protocol allows, within bounded time,
// logged once however often it comes, and leaves nothing behind.
func TestHostileSensors(t *testing.T) {
	n := repetitions
	if testing.Short() {
		n = 100
	}
	path := writeCaptureFile(t, 3)
	for _, h := range hostilities {
		t.Run(h.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, path, func(o *Options) { o.DryRun = true })
				flat{rounds: n, warmUp: 50, rest: pipeTimers}.check(t, func(i int) { h.once(r, i) })
				synctest.Wait()
				limit := h.warnings
				if h.ends == "" {
					limit += 2 // type 99, and that the sensor hung up
				}
				if texts, lines := r.logs.warned(); lines > limit || lines == 0 {
					slices.Sort(texts)
					t.Errorf("%d lines in the log, want 1 to %d:\n%s", lines, limit, strings.Join(texts, "\n"))
				}
				if st := r.x.snapshot(); st.Errors < uint64(n) {
					t.Errorf("%d errors counted in %d repetitions", st.Errors, n)
				} else if strings.ContainsFunc(st.LastError, func(c rune) bool { return c < ' ' }) {
					t.Errorf("the status would write control characters to a terminal: %q", st.LastError)
				}
			})
		})
	}
}

// TestComplaintsAreForgotten: what has been logged is news again after a quiet time.
func TestComplaintsAreForgotten(t *testing.T) {
	c := newComplaints()
	now := time.Unix(1000, 0)
	if _, log, _ := c.news("dial: refused", now); !log {
		t.Fatal("the first error is not logged")
	}
	for range 100 {
		now = now.Add(backoffMax)
		if _, log, _ := c.news("dial: refused", now); log {
			t.Fatal("the same error is logged again")
		}
	}
	if missed, log, _ := c.news("dial: refused", now.Add(complaintsForget+time.Second)); !log || missed != 100 {
		t.Errorf("after a quiet time: logged %v, with %d that were not", log, missed)
	}
	c = newComplaints()
	lines, not := 0, 0
	for at := time.Duration(0); at < 49*time.Hour; at += backoffMax {
		if missed, log, _ := c.news("dial: refused", now.Add(at)); log {
			lines, not = lines+1, not+missed
		}
	}
	if each := int(24 * time.Hour / backoffMax); lines != 3 || not != 2*(each-1) {
		t.Errorf("an error that goes on for two days: %d lines, %d were not logged", lines, not)
	}
	a := "read tcp 10.0.0.5:43210->10.0.0.2:2003: connection reset by peer"
	b := "read tcp 10.0.0.5:43999->10.0.0.2:2003: connection reset by peer"
	c = newComplaints()
	c.news(a, now)
	if _, log, _ := c.news(b, now); log {
		t.Error("another local port makes it another error")
	}
}

// TestEndsUnderFlood: neither a sensor that never stops asking nor one that never
// reads the answers keeps the agent from ending.
func TestEndsUnderFlood(t *testing.T) {
	for _, reads := range []bool{true, false} {
		l := sensorPort(t)
		o := Options{ReadFile: writeCaptureFile(t, 10)}
		o.Config.Targets, o.Config.NullAuth = []config.Target{target(l)}, true
		s, stop := runAgent(t, o)
		p := accept(t, l)
		p.authenticate()
		p.open(name(s))
		data := openDataPort(t)
		p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
		flood := bytes.Repeat(rpcap.AppendEmpty(nil, rpcap.TypeFindAllRequest), 1000)
		flooding := make(chan struct{})
		go func() {
			defer close(flooding)
			for {
				if _, err := p.conn.Write(flood); err != nil {
					return
				}
			}
		}()
		if reads {
			go io.Copy(io.Discard, p.conn)
		}
		time.Sleep(300 * time.Millisecond) // until the buffers between the two are full
		began := time.Now()
		stop()
		if d := time.Since(began); d > writeTimeout/2 {
			t.Errorf("sensor reads %v: ending took %v", reads, d)
		}
		p.conn.(*net.TCPConn).SetLinger(0)
		p.conn.Close()
		<-flooding
		checkFrames(t, data.frames(10), 10)
	}
}

// TestRootOthersDoNotNotice lets every kind of hostile sensor loose on an agent at once,
// each on a line of its own, while one more session captures: all of its frames come,
// in order and numbered without a gap, and the agent dials the hostile ones again.
func TestRootOthersDoNotNotice(t *testing.T) {
	inject := captureLink(t)
	logs := &logCounter{}
	o := Options{Logger: zap.New(logs)}
	o.Config.NullAuth = true
	o.Config.RingBytes = 1 << 20
	o.Config.Datagram = config.Datagram{Size: 1472}
	good := sensorPort(t)
	o.Config.Targets = []config.Target{target(good)}
	listeners := make([]*net.TCPListener, len(hostilities))
	limit := 0
	for i, h := range hostilities {
		listeners[i] = sensorPort(t)
		o.Config.Targets = append(o.Config.Targets, target(listeners[i]))
		limit += h.warnings + 2
	}
	s, _ := runAgent(t, o)
	p := accept(t, good)
	p.authenticate()
	p.open("cap0")
	data := openDataPort(t)
	p.startCapture(data.port(), rpcap.FlagDatagram, rpcap.AcceptAll())
	var all atomic.Int64 // how many frames there are; 0: not known yet
	got := make(chan []udpstr.Packet)
	go func() { got <- data.framesUntil(&all) }()

	over := make(chan struct{})
	sent := make(chan int)
	go func() {
		n := 0
		for pause := time.NewTicker(2 * time.Millisecond); ; n++ {
			select {
			case <-over:
				pause.Stop()
				sent <- n
				return
			case <-pause.C:
				inject(testFrame(n))
			}
		}
	}()
	var wg sync.WaitGroup
	for i := range hostilities {
		wg.Go(func() {
			over := false
			defer func() {
				if !over { // a failure ends the goroutine
					t.Errorf("that was the sensor which: %s", hostilities[i].what)
				}
			}()
			misbehave(t, listeners[i], &hostilities[i], i)
			over = true
		})
	}
	wg.Wait()
	close(over)
	n := <-sent
	all.Store(int64(n))
	if n < 200 {
		t.Errorf("only %d frames were injected meanwhile", n)
	}
	checkFrames(t, <-got, n)
	p.endCapture()
	if st := p.stats(); st.IfRecv != uint32(n) || st.Captured != uint32(n) || st.KernelDrop != 0 {
		t.Errorf("final numbers %+v, want %d", st, n)
	}
	if st := s.Status().Sessions[0]; st.Connects != 1 || st.Errors != 0 {
		t.Errorf("%d connections, %d errors: %s", st.Connects, st.Errors, st.LastError)
	}
	if texts, lines := logs.warned(); lines > limit {
		slices.Sort(texts)
		t.Errorf("%d lines in the log, want at most %d:\n%s", lines, limit, strings.Join(texts, "\n"))
	}
}

// misbehave has a sensor do its worst once, and sees that the agent dials it again if
// the connection ended.
func misbehave(t *testing.T, l *net.TCPListener, h *hostility, i int) {
	p := accept(t, l)
	if h.slow { // it hangs there while the others are at work
		p.conn.Write([]byte{0, byte(rpcap.TypeAuthRequest)})
		return
	}
	h.play(p, "cap0", i)
	p.conn.Close()
	if h.ends != errClosedBySensor.Error() { // after which it is left alone for longer
		accept(t, l).authenticate()
	}
}

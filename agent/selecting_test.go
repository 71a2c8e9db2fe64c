package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/config"
	"rpcapd/iface"
)

// bench is an agent on a host whose interfaces the test makes. Nobody is at the sensor's port.
type bench struct {
	t    *testing.T
	s    *Supervisor
	logs *logCounter
	cfg  config.Agent
	mu   sync.Mutex
	now  []iface.Interface
}

func newBench(t *testing.T, ini string, interfaces ...string) *bench {
	t.Helper()
	b := &bench{t: t, logs: &logCounter{}, now: host(t, interfaces...)}
	b.cfg = b.parse(ini)
	s, err := New(Options{Logger: zap.New(b.logs), Config: b.cfg})
	if err != nil {
		t.Fatal(err)
	}
	s.ifaces.read = func() ([]iface.Interface, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		return slices.Clone(b.now), nil
	}
	b.s = s
	// What Run does, but for the watch of the real interfaces.
	ctx, stop := context.WithCancel(context.Background())
	s.mu.Lock()
	s.run, s.finish = ctx, stop
	for _, x := range s.sessions {
		s.start(x)
	}
	s.mu.Unlock()
	s.reselect(b.now)
	t.Cleanup(b.stop)
	return b
}

// stop ends everything. Timers that are set stay without effect.
func (b *bench) stop() {
	b.s.mu.Lock()
	b.s.ended = true
	b.s.mu.Unlock()
	b.s.finish()
	b.s.wg.Wait()
}

func (b *bench) parse(ini string) config.Agent {
	b.t.Helper()
	a, problems := config.ParseAgent("x.ini", []byte("NullAuthPermit = YES\n"+strings.ReplaceAll(ini, "; ", "\n")+"\n"))
	if problems.Err() != nil {
		b.t.Fatal(problems)
	}
	return a
}

// set gives the host other interfaces, as the watch tells.
func (b *bench) set(interfaces ...string) {
	b.t.Helper()
	list := host(b.t, interfaces...)
	b.mu.Lock()
	b.now = list
	b.mu.Unlock()
	now, _ := b.s.ifaces.all()
	b.s.reselect(now)
	for _, x := range b.s.snapshot() {
		x.interfacesChanged(now, nil)
	}
}

// sessions are "sensor interface line" of each, in order; those that are about to end have a - in front.
func (b *bench) sessions() (list []string) {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	for _, x := range b.s.sessions {
		st := x.snapshot()
		list = append(list, fmt.Sprintf("%s %s", strings.TrimSuffix(st.Sensor, ":2003"), strings.TrimPrefix(st.Select, "ifname=")))
	}
	slices.Sort(list)
	return list
}

func (b *bench) want(what string, want ...string) {
	b.t.Helper()
	slices.Sort(want)
	if got := b.sessions(); !slices.Equal(got, want) {
		b.t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

const two, three = "2 eth0 up 10.0.0.1/24", "3 eth1 up"

// TestSessionForEach: what lines make of the interfaces of a host, at the start and when it has others.
func TestSessionForEach(t *testing.T) {
	lo := "1 lo up loopback 127.0.0.1/8"
	for _, c := range []struct {
		what, ini string
		before    []string // interfaces
		want      []string
		after     []string
		then      []string
	}{
		{"a pattern", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{lo, two}, []string{"127.0.0.1 eth0"}, []string{lo, two, three}, []string{"127.0.0.1 eth0", "127.0.0.1 eth1"}},
		{"none, then one", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{lo}, nil, []string{lo, three}, []string{"127.0.0.1 eth1"}},
		{"one goes", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two, three}, []string{"127.0.0.1 eth0", "127.0.0.1 eth1"}, []string{three}, []string{"127.0.0.1 eth1"}},
		{"all but", "ActiveClient = 127.0.0.1, 2003, ifname=!lo", []string{lo, two}, []string{"127.0.0.1 eth0"}, []string{lo, "4 x"}, []string{"127.0.0.1 x"}},
		{"two patterns, one interface", "ActiveClient = 127.0.0.1, 2003, ifname=eth*/*0", []string{two}, []string{"127.0.0.1 eth0"}, []string{two, "4 x0"}, []string{"127.0.0.1 eth0", "127.0.0.1 x0"}},
		{"networks", "ActiveClient = 127.0.0.1, 2003, ifaddr=10.0.0.0/8/127.0.0.0/8", []string{lo, two, three}, []string{"127.0.0.1 eth0", "127.0.0.1 lo"}, []string{lo, "2 eth0 up", "3 eth1 up 10.0.0.1/24"}, []string{"127.0.0.1 eth1", "127.0.0.1 lo"}},
		{"renamed", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0"}, []string{"2 eth7 up"}, []string{"127.0.0.1 eth7"}},
		{"renamed away", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0"}, []string{"2 wan0 up"}, nil},
		{"renamed, the old name as an alternative one", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0"}, []string{"2 wan0 =eth0 up"}, []string{"127.0.0.1 wan0"}},
		{"alternative names", "ActiveClient = 127.0.0.1, 2003, ifname=enp*", []string{"2 eth0 =enp1s0 up", three}, []string{"127.0.0.1 eth0"}, []string{"2 eth0 up", "3 eth1 =enp2s0 up"}, []string{"127.0.0.1 eth1"}},
		{"down is there", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0"}, []string{"2 eth0"}, []string{"127.0.0.1 eth0"}},
		{"made again", "ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0"}, []string{"5 eth0 up"}, []string{"127.0.0.1 eth0"}},
		{"two lines, one sensor", "ActiveClient = 127.0.0.1, 2003, ifname=eth*; ActiveClient = 127.0.0.1, 2003, ifname=*0", []string{two, "4 x0"}, []string{"127.0.0.1 eth0", "127.0.0.1 x0"}, []string{two}, []string{"127.0.0.1 eth0"}},
		{"a plain line before a pattern", "ActiveClient = 127.0.0.1, 2003, ifname=eth*; ActiveClient = 127.0.0.1, 2003, ifname=eth0, fanout=2", []string{two, three}, []string{"127.0.0.1 eth0", "127.0.0.1 eth0", "127.0.0.1 eth1"}, []string{three}, []string{"127.0.0.1 eth0", "127.0.0.1 eth0", "127.0.0.1 eth1"}},
		{"two sensors", "ActiveClient = 127.0.0.1, 2003, ifname=eth*; ActiveClient = 127.0.0.2, 2003, ifname=eth*", []string{two}, []string{"127.0.0.1 eth0", "127.0.0.2 eth0"}, nil, nil},
		{"fanout", "ActiveClient = 127.0.0.1, 2003, ifname=eth*, fanout=2", []string{two}, []string{"127.0.0.1 eth0", "127.0.0.1 eth0"}, nil, nil},
		{"ignored", "IgnoreInterfaces = lo, veth*; ActiveClient = 127.0.0.1, 2003, ifname=*", []string{lo, two, "4 veth1 up"}, []string{"127.0.0.1 eth0"}, []string{lo, "2 eth0 =vethx up"}, nil},
		{"at most", "MaxSessions = 1; ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{two, three}, []string{"127.0.0.1 eth0"}, []string{three}, []string{"127.0.0.1 eth1"}},
		{"those that run stay", "MaxSessions = 1; ActiveClient = 127.0.0.1, 2003, ifname=eth*", []string{three}, []string{"127.0.0.1 eth1"}, []string{two, three}, []string{"127.0.0.1 eth1"}},
		{"fanout beside the limit", "MaxSessions = 3; ActiveClient = 127.0.0.1, 2003, ifname=eth*, fanout=2", []string{two, three}, []string{"127.0.0.1 eth0", "127.0.0.1 eth0"}, nil, nil},
	} {
		t.Run(c.what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, c.ini, c.before...)
				b.want("at the start", c.want...)
				time.Sleep(time.Minute) // whatever was held back comes
				b.want("later", c.want...)
				b.set(c.after...)
				b.want("then", c.then...)
				b.stop()
				time.Sleep(time.Minute) // the timers
			})
		})
	}
}

// TestReloadKeepsWhatStillMatches: another pattern in the same line, or in another, is no reason to dial again.
func TestReloadKeepsWhatStillMatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "ActiveClient = 127.0.0.1, 2003, ifname=eth*", two, three, "4 x0 up")
		before := b.s.snapshot()
		b.s.Reload(b.parse("# moved; ActiveClient = 127.0.0.1, 2003, ifname=x*/eth1/*9"))
		b.want("after it", "127.0.0.1 eth1", "127.0.0.1 x0")
		for _, x := range b.s.snapshot() {
			if st := x.snapshot(); st.Line != 3 || st.Pattern != "ifname=x*/eth1/*9" || st.Select == "ifname=eth1" && !slices.Contains(before, x) {
				t.Errorf("%+v", st)
			}
		}
		st := b.s.Status()
		if len(st.Ended) != 1 || st.Ended[0].Sessions != 1 || st.Ended[0].Reason != "its line no longer selects interface eth0" {
			t.Errorf("ended %+v", st.Ended)
		}
		if len(st.Lines) != 1 || !slices.Equal(st.Lines[0].Interfaces, []string{"eth1", "x0"}) || st.MaxSessions != 64 {
			t.Errorf("lines %+v", st.Lines)
		}
		b.s.Reload(b.parse("ActiveClient = 127.0.0.1, 2003, ifname=eth1"))
		b.want("a plain line", "127.0.0.1 eth1")
		if st := b.s.Status(); st.Lines != nil || st.Ended != nil || st.MaxSessions != 0 || len(st.Sessions) != 1 || st.Sessions[0].Pattern != "" {
			t.Errorf("%+v", st)
		}
		b.stop()
		time.Sleep(time.Minute)
	})
}

// TestIgnoreOnReload: what a reload leaves out is let go, also if the sensor has chosen it.
func TestIgnoreOnReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "ActiveClient = 127.0.0.1, 2003; ActiveClient = 127.0.0.1, 2003, ifname=eth*", two, three)
		x := b.s.snapshot()[0]
		time.Sleep(100 * time.Millisecond) // it has failed to dial
		x.follow("eth1", 3)
		var ended error
		x.setHangUp(func(err error) { ended = err })
		b.s.Reload(b.parse("IgnoreInterfaces = eth1; ActiveClient = 127.0.0.1, 2003; ActiveClient = 127.0.0.1, 2003, ifname=eth*"))
		if ended == nil || ended.Error() != "interface eth1 is left out by IgnoreInterfaces now" {
			t.Errorf("ended with %v", ended)
		}
		b.want("after it", "127.0.0.1 ", "127.0.0.1 eth0")
		if list, _ := b.s.ifaces.list(); len(list) != 1 {
			t.Errorf("sensors are offered %v", list)
		}
		if _, _, err := b.s.ifaces.named("eth1"); err == nil || !strings.Contains(err.Error(), "IgnoreInterfaces") {
			t.Errorf("OPEN of eth1: %v", err)
		}
		x.setHangUp(nil)
		b.stop()
		time.Sleep(time.Minute)
	})
}

// TestRefusedIsSaidOnce: interfaces beyond MaxSessions are in log, status and metrics; the log says so once, however many come.
func TestRefusedIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "MaxSessions = 1; ActiveClient = 127.0.0.1, 2003, ifname=eth*", two, three)
		for n := range 20 {
			b.set(two, three, fmt.Sprintf("%d eth%d up", 4+n%5, 4+n))
			time.Sleep(time.Second)
		}
		texts, _ := b.logs.warned()
		said := 0
		for _, text := range texts {
			if strings.Contains(text, "more than MaxSessions allows") {
				said += b.logs.warnings[text]
			}
		}
		if said != 1 {
			t.Errorf("said %d times: %q", said, texts)
		}
		st := b.s.Status()
		if l := st.Lines[0]; l.RefusedCount != 2 || !slices.Equal(l.Refused, []string{"eth1", "eth23"}) {
			t.Errorf("%+v", l)
		}
		metrics := string(appendMetrics(nil, st))
		for _, want := range []string{
			`rpcapd_refused_interfaces{sensor="127.0.0.1:2003",select="ifname=eth*",number="0"} 2`, "rpcapd_sessions_limit 1",
			`rpcapd_selected_interfaces{sensor="127.0.0.1:2003",select="ifname=eth*",number="0"} 1`,
			`rpcapd_session_connected{sensor="127.0.0.1:2003",session="0",select="ifname=eth0"} 0`,
		} {
			if !strings.Contains(metrics, want+"\n") {
				t.Errorf("%s is missing in\n%s", want, metrics)
			}
		}
		b.stop()
		time.Sleep(time.Minute)
	})
}

// TestNumbersOfEndedSessions: no sum over the sessions of an agent falls when an interface goes.
func TestNumbersOfEndedSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "ActiveClient = 127.0.0.1, 2003, ifname=eth*", two, three)
		for n, x := range b.s.snapshot() {
			x.mu.Lock()
			x.status.Total = Counters{Captured: uint64(10 + n), Packed: 5}
			x.status.SendDrops = []SendDrop{{Errno: "EPERM", Datagrams: 3}}
			x.mu.Unlock()
		}
		b.set(three)
		synctest.Wait()
		st := b.s.Status()
		if len(st.Sessions) != 1 || len(st.Ended) != 1 {
			t.Fatalf("%+v", st)
		}
		if e := st.Ended[0]; e.Sessions != 1 || e.Interface != "eth0" || e.Reason != "interface eth0 is gone" || e.Total.Captured+st.Sessions[0].Total.Captured != 21 {
			t.Errorf("%+v and %+v", e, st.Sessions[0].Total)
		}
		metrics := string(appendMetrics(nil, st))
		for _, want := range []string{
			`rpcapd_frames_captured_total{sensor="127.0.0.1:2003",session="ended",select=""} 10`,
			`rpcapd_datagrams_dropped_by_errno_total{sensor="127.0.0.1:2003",session="ended",select="",errno="EPERM"} 3`,
		} {
			if !strings.Contains(metrics, want+"\n") {
				t.Errorf("%s is missing in\n%s", want, metrics)
			}
		}
		if strings.Contains(metrics, `session_connected{sensor="127.0.0.1:2003",session="ended"`) {
			t.Error("an alert would take what has ended for a session that is down")
		}
		b.stop()
		time.Sleep(time.Minute)
	})
}

// TestFlappingInterface: one that comes and goes begins a session every flapPause at most, and has one when it stays.
func TestFlappingInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "ActiveClient = 127.0.0.1, 2003, ifname=eth*")
		for range 600 { // a minute
			b.set(two)
			time.Sleep(50 * time.Millisecond)
			b.set()
			time.Sleep(50 * time.Millisecond)
		}
		b.set(two)
		time.Sleep(2 * flapPause)
		b.want("in the end", "127.0.0.1 eth0")
		if n, most := b.s.Status().Ended[0].Sessions, uint64(time.Minute/flapPause)+1; n > most || n < 10 {
			t.Errorf("%d sessions have ended, want at most %d", n, most)
		}
		b.stop()
		time.Sleep(time.Minute)
	})
}

// TestManyNewInterfaces: those of a container host begin slowly once the burst is over, and none is forgotten.
func TestManyNewInterfaces(t *testing.T) {
	p := &pace{}
	now := time.Now()
	begun := 0
	for n := range 1000 {
		if p.allow(fmt.Sprint(n), now) {
			begun++
		}
	}
	if begun != startBurst {
		t.Errorf("%d begin at once, want %d", begun, startBurst)
	}
	for range 100 {
		d := p.next(now)
		if d <= 0 || d > startPause {
			t.Fatalf("the next one begins after %v", d)
		}
		now = now.Add(d)
		if !p.allow(fmt.Sprint("later", begun), now) || p.allow("too soon", now) {
			t.Fatalf("after %d", begun)
		}
		begun++
	}
	if now = now.Add(time.Hour); p.next(now) == 0 {
		t.Error("the one that waits is forgotten")
	}
	for n := range startBurst {
		if !p.allow(fmt.Sprint("new", n), now) {
			t.Fatalf("%d after a rest", n)
		}
	}
	if len(p.started) != startBurst {
		t.Errorf("%d names are remembered", len(p.started))
	}
}

// TestDialsOfMany: a sensor that is down is dialed as often for a hundred interfaces that come and go as for one.
func TestDialsOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began := newGate(), time.Now()
		var mu sync.Mutex // of the next three
		attempts, up := 0, false
		var passed []time.Duration
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		session := func(lives time.Duration) {
			ctx, cancel := context.WithTimeout(ctx, lives)
			defer cancel()
			for {
				tries, err := g.enter(ctx, func(time.Time) {})
				if err != nil {
					return
				}
				mu.Lock()
				attempts++
				mu.Unlock()
				time.Sleep(10 * time.Millisecond) // a dial
				mu.Lock()
				good := up
				if good {
					passed = append(passed, time.Since(began))
				}
				mu.Unlock()
				if good {
					g.dialed(tries, nil, false)
					<-ctx.Done()
					return
				}
				g.dialed(tries, errors.New("refused"), ctx.Err() != nil)
			}
		}
		for n := range 100 {
			wg.Go(func() { session(time.Hour) })
			wg.Go(func() { time.Sleep(time.Duration(n) * 3 * time.Second); session(5 * time.Second) })
		}
		time.Sleep(5 * time.Minute)
		mu.Lock()
		if attempts < 10 || attempts > 200+30 { // all once, then one after the other: 1, 2, 4, 8, 16, 30 s, …
			t.Errorf("%d attempts in 5 minutes", attempts)
		}
		up = true
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if len(passed) < 100 || passed[len(passed)-1]-passed[0] > time.Second {
			t.Errorf("%d have passed, over %v", len(passed), passed)
		}
		stop()
		wg.Wait()
	})
}

// TestManyDontSpamTheLog: sessions that come and go for one sensor have the words of one.
func TestManyDontSpamTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, "ActiveClient = 127.0.0.1, 1, ifname=eth*")
		for n := range 300 {
			b.set(fmt.Sprintf("%d eth%d up", 2+n%7, n))
			time.Sleep(time.Second)
		}
		if _, lines := b.logs.warned(); lines > 5 {
			t.Errorf("%d warnings", lines)
		}
		if n := b.logs.count(zapcore.InfoLevel); n > 120 {
			t.Errorf("%d lines", n)
		}
		b.stop()
		time.Sleep(time.Minute)
	})
}

package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"

	"rpcapd/rpcap"
)

// TestBudget: whatever the requests cost, no 5 s have more than a tenth in all, but for the
// one request that the debt is made with; with two sessions each has half.
func TestBudget(t *testing.T) {
	all := time.Duration(0)
	for _, a := range []allowance{requestAllowance, captureAllowance} {
		all += a.burst + time.Duration(a.share*float64(5*time.Second))
		for _, cost := range []time.Duration{requestLeast, 3 * time.Millisecond, 50 * time.Millisecond} {
			for range 2 {
				var b budget
				now := time.Unix(1_700_000_000, 0)
				var at []time.Time
				for range 20000 {
					now = now.Add(b.debt(a, now) + cost) // the sensor never pauses
					b.charge(cost, a, now)
					at = append(at, now)
				}
				first := 0
				for i := range at {
					for at[i].Sub(at[first]) > 5*time.Second {
						first++
					}
					used := time.Duration(i-first+1) * cost
					if limit := a.burst + time.Duration(a.share*float64(5*time.Second)) + 2*cost; used > limit {
						t.Fatalf("cost %v, %+v: %v used within 5 s, at most %v", cost, a, used, limit)
					}
				}
				a.share /= 2
			}
			a.share *= 4
		}
	}
	if all > 500*time.Millisecond {
		t.Errorf("%v in 5 s in all", all)
	}
}

// TestBudgetIsNotFelt: what ordinary sensors ask for is never late.
func TestBudgetIsNotFelt(t *testing.T) {
	var requests, captures budget
	now := time.Unix(1_700_000_000, 0)
	for i := range 10000 {
		if d := requests.debt(requestAllowance, now); d > 0 {
			t.Fatalf("request %d waits %v", i, d)
		}
		requests.charge(requestLeast, requestAllowance, now) // STATS, each 5 s
		if i%20 == 0 {
			if d := captures.debt(captureAllowance, now); d > 0 {
				t.Fatalf("capture %d waits %v", i, d)
			}
			captures.charge(50*time.Millisecond, captureAllowance, now)
		}
		now = now.Add(5 * time.Second)
	}
}

// TestBudgetDebtIsBounded: after a request that cost seconds, as one that makes a ring of a GiB does, sensors get
// an answer before they give up.
func TestBudgetDebtIsBounded(t *testing.T) {
	var b budget
	now := time.Unix(1_700_000_000, 0)
	b.charge(3*time.Second, captureAllowance, now)
	if d := b.debt(captureAllowance, now); d != requestWait {
		t.Errorf("the next request waits %v, want %v", d, requestWait)
	}
}

// TestEndOfCaptureIsPrompt: a capture ends when the sensor says so, whatever it has cost to begin it. Sensors that stop
// wait 3 s for the final numbers.
func TestEndOfCaptureIsPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, writeCaptureFile(t, 1), func(o *Options) { o.DryRun = true })
		r.x.captures.charge(time.Hour, captureAllowance, time.Now())
		p, ended := r.connect()
		p.authenticate()
		p.open(r.file)
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		began := time.Now()
		p.endCapture()
		if d := time.Since(began); d > time.Second {
			t.Errorf("the capture ended after %v", d)
		}
		p.send(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
		p.wantError(rpcap.CodeEndCapture)
		if d := time.Since(began); d < requestWait {
			t.Errorf("a request without a capture was answered after %v, want at least %v", d, requestWait)
		}
		p.conn.Close()
		<-ended
	})
}

// TestStatsArePrompt: STATS are answered at once while a capture runs, whatever that has cost to begin.
func TestStatsArePrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, writeCaptureFile(t, 1), func(o *Options) { o.DryRun = true })
		r.x.captures.charge(time.Hour, captureAllowance, time.Now())
		p, ended := r.connect()
		p.authenticate()
		p.open(r.file)
		began := time.Now()
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		if d := time.Since(began); d < requestWait {
			t.Errorf("STARTCAP was answered after %v, want at least %v", d, requestWait)
		}
		began = time.Now()
		for range 100 {
			p.stats()
		}
		p.interfaces()
		p.endCapture()
		if d := time.Since(began); d > time.Second {
			t.Errorf("100 STATS, the interfaces and the end took %v", d)
		}
		p.conn.Close()
		<-ended
	})
}

func TestRequestCost(t *testing.T) {
	for _, tc := range []struct {
		measured  time.Duration
		ringBytes int
		want      time.Duration
	}{
		{0, 0, requestLeast},
		{4 * time.Millisecond, 0, 5 * time.Millisecond},
		{0, 16 << 20, 10 * time.Millisecond},
		{0, 256 << 10, 2125 * time.Microsecond},
		{4 * time.Millisecond, 16 << 20, 10 * time.Millisecond},
		{20 * time.Millisecond, 16 << 20, 25 * time.Millisecond},
	} {
		if got := requestCost(tc.measured, tc.ringBytes); got != tc.want {
			t.Errorf("requestCost(%v, %d) = %v, want %v", tc.measured, tc.ringBytes, got, tc.want)
		}
	}
}

// TestRequestsWithoutEnd: a sensor that starts and ends captures, or replaces a large
// filter, for ever, is answered each time, late, and fills no log.
func TestRequestsWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, writeCaptureFile(t, 1), func(o *Options) { o.DryRun = true })
		p, ended := r.connect()
		p.authenticate()
		p.open(r.file)
		const loops = 2000 // of a file, without a ring
		began := time.Now()
		for range loops {
			p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
			p.endCapture()
		}
		took := time.Since(began)
		if least := time.Duration(float64(2*loops*requestLeast-2*captureAllowance.burst) / captureAllowance.share); took < least {
			t.Errorf("%d captures in %v, want at least %v", loops, took, least)
		}
		if n, limit := r.logs.count(zapcore.InfoLevel), chatterBurst+int(took/chatterPause)+10; n > limit {
			t.Errorf("%d log lines, at most %d", n, limit)
		}
		p.startCapture(9999, rpcap.FlagDatagram, rpcap.AcceptAll())
		large := make(rpcap.Program, rpcap.MaxInstructions)
		for i := range large {
			large[i] = rpcap.Instruction{Op: 0x06, K: 1}
		}
		began = time.Now()
		const updates = 3000
		for range updates {
			p.send(rpcap.UpdateFilterRequest{Filter: large}.Append(nil))
			p.want(rpcap.TypeUpdateFilterReply)
		}
		if d, least := time.Since(began), time.Duration(float64(updates*requestLeast-requestAllowance.burst)/requestAllowance.share)*9/10; d < least {
			t.Errorf("%d filters in %v, want at least %v", updates, d, least)
		}
		p.conn.Close()
		<-ended
	})
}

func (l *logCounter) count(level zapcore.Level) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines[level]
}

package agent

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/config"
)

// A driver that is missing is said once, looked for, and said when it has come; the session that waited for it is dialed anew.
func TestWatchDriver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.InfoLevel)
		s, err := New(Options{Logger: zap.New(core), Config: config.Agent{Targets: []config.Target{{Host: "192.0.2.1", Port: 2003, Fanout: 1}}}})
		if err != nil {
			t.Fatal(err)
		}
		x := s.snapshot()[0]
		var hungUp atomic.Value
		x.setHangUp(func(why error) { hungUp.Store(why.Error()) })
		x.mu.Lock()
		x.status.State = StateReady
		x.mu.Unlock()

		var installed atomic.Bool
		var looks atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.watchDriver(t.Context(), func() (string, error) {
				if looks.Add(1); !installed.Load() {
					return "", errors.New("no capture driver")
				}
				return "Npcap 1.79", nil
			})
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := logged.FilterMessage("nothing can be captured").Len(); n != 1 || looks.Load() < 10 {
			t.Errorf("said %d times, looked %d times", n, looks.Load())
		}
		if hungUp.Load() != nil {
			t.Error("hung up for nothing")
		}
		installed.Store(true)
		<-done
		if n := logged.FilterMessage("capture driver").Len(); n != 1 || hungUp.Load() != "a capture driver has been installed" {
			t.Errorf("said %d times, hung up because %v", n, hungUp.Load())
		}
	})
}

// Where no driver is needed, or one is there at once, nothing is dialed anew; with Driver = raw nothing is said.
func TestWatchDriverQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			driver string
			err    error
			raw    bool
			lines  int
		}{
			{"", nil, false, 0},
			{"Npcap 1.79", nil, false, 1},
			{"", errors.New("no capture driver"), true, 0},
			{"Npcap 1.79", nil, true, 0},
		} {
			core, logged := observer.New(zap.InfoLevel)
			s, err := New(Options{Logger: zap.New(core), Config: config.Agent{RawDriver: c.raw}})
			if err != nil {
				t.Fatal(err)
			}
			if s.ifaces.raw.Load() != (c.raw && runtime.GOOS == "windows") {
				t.Error("Driver = raw is for Windows alone")
			}
			logged.TakeAll()
			s.ifaces.raw.Store(c.raw)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			s.watchDriver(ctx, func() (string, error) { return c.driver, c.err })
			cancel()
			if logged.Len() != c.lines {
				t.Errorf("%+v: %v", c, logged.All())
			}
		}
	})
}

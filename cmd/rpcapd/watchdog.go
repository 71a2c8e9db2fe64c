package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"go.uber.org/zap"

	"rpcapd/agent"
	"rpcapd/cmd/internal/systemd"
)

// feedWatchdog tells systemd that the agent is well, three times an interval, for as long as every forwarder moves. One
// that is stuck is told of, and systemd starts the agent anew.
func feedWatchdog(ctx context.Context, p *agent.Progress, interval time.Duration, log *zap.Logger) {
	tick := time.NewTicker(max(interval/3, time.Millisecond))
	defer tick.Stop()
	stuck := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		names := p.Stuck()
		if len(names) > 0 {
			if !stuck {
				log.Error("a forwarder makes no progress; the agent stops its keep-alive messages, so systemd will restart it", zap.Strings("interfaces", names))
			}
			stuck = true
			continue
		}
		stuck = false
		_ = systemd.Notify("WATCHDOG=1") // that systemd is there was seen at the start
	}
}

// How often the service of Windows looks after its forwarders, and how often in a row it finds one stuck before it ends. Together
// that is as long as systemd waits.
const (
	stuckLook  = 10 * time.Second
	stuckLooks = 3
)

// endIfStuck ends the process when a forwarder is stuck, as systemd does elsewhere: Windows then starts the service again.
func endIfStuck(ctx context.Context, stuck func() []string, end func(code int), log *zap.Logger) {
	tick := time.NewTicker(stuckLook)
	defer tick.Stop()
	for found := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		names := stuck()
		if len(names) == 0 {
			found = 0
			continue
		}
		if found++; found == stuckLooks {
			log.Error(eventStuck, zap.Strings("interfaces", names), zap.Duration("for", stuckLook*stuckLooks))
			end(exitFailed)
			return
		}
	}
}

// underSystemd tells whether systemd started this very process as a service. The
// variables are inherited by what a service starts in turn, an init script for one,
// which does rely on -d; so the process is compared where systemd names it
// (systemd.exec(5), SYSTEMD_EXEC_PID).
func underSystemd() bool {
	if os.Getenv("INVOCATION_ID") == "" && os.Getenv("NOTIFY_SOCKET") == "" {
		return false
	}
	pid := os.Getenv("SYSTEMD_EXEC_PID")
	return pid == "" || pid == strconv.Itoa(os.Getpid())
}

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

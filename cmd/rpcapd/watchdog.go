package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"go.uber.org/zap"

	"rpcapd/agent"
)

// watchdogInterval is how often systemd wants to hear of the agent (sd_watchdog_enabled(3)); 0 if it does not.
func watchdogInterval() time.Duration {
	if pid := os.Getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	usec, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	if err != nil || usec <= 0 {
		return 0
	}
	return time.Duration(usec) * time.Microsecond
}

// feedWatchdog tells systemd that the agent is well, three times an interval, for as long as every forwarder moves. One
// that is stuck is told of, and systemd starts the agent anew.
func feedWatchdog(ctx context.Context, p *agent.Progress, interval time.Duration, log *zap.Logger) {
	tick := time.NewTicker(interval / 3)
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
				log.Error("a forwarder does not move; systemd is not told that all is well and will restart the agent", zap.Strings("interfaces", names))
			}
			stuck = true
			continue
		}
		stuck = false
		_ = tellSystemd("WATCHDOG=1") // that systemd is there was seen at the start
	}
}

package main

import (
	"context"
	"os"
	"strconv"
	"time"

	"rpcapd/sensor"
)

// watchdogInterval is how often systemd wants to hear of the sensor (sd_watchdog_enabled(3)); 0 if it does not.
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

// feedWatchdog tells systemd three times an interval that the sensor is well: that its sessions, ports and outputs
// answer. A sensor in which one of them holds a lock for ever is not heard of any more, and systemd starts it anew.
func feedWatchdog(_ context.Context, sen *sensor.Sensor, o *outputs) (func(context.Context) error, error) {
	interval := watchdogInterval()
	if interval == 0 {
		return nil, nil
	}
	return func(ctx context.Context) error {
		tick := time.NewTicker(max(interval/3, time.Millisecond))
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
			sen.Peers()
			sen.Ports()
			sen.Sinks()
			o.notify("WATCHDOG=1")
		}
	}, nil
}

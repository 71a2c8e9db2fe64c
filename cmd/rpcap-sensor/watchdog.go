package main

import (
	"context"
	"time"

	"rpcapd/cmd/internal/systemd"
	"rpcapd/sensor"
)

// feedWatchdog tells systemd three times an interval that the sensor is well: that its sessions, ports and outputs
// answer. A sensor in which one of them holds a lock for ever is not heard of any more, and systemd starts it anew.
func feedWatchdog(_ context.Context, sen *sensor.Sensor, o *outputs) (func(context.Context) error, error) {
	interval := systemd.WatchdogInterval()
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

// services has one line for each. A service returns nil if nothing asks for it; its run works until ctx ends, and an
// error before that ends the program.
var services = []service{feedWatchdog, warnOfForgotten}

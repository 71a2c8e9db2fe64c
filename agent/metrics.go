package agent

import (
	"fmt"
	"strconv"
)

// appendMetrics writes the status in the Prometheus text format, for the textfile
// collector of the node exporter.
func appendMetrics(dst []byte, st *Status) []byte {
	family := func(name, kind, help string, value func(*SessionStatus) float64) {
		dst = fmt.Appendf(dst, "# HELP rpcapd_%s %s\n# TYPE rpcapd_%s %s\n", name, help, name, kind)
		for i := range st.Sessions {
			x := &st.Sessions[i]
			dst = fmt.Appendf(dst, "rpcapd_%s{sensor=%q,session=\"%d\",select=%q} %s\n", name, x.Sensor, i, x.Select,
				strconv.FormatFloat(value(x), 'g', -1, 64))
		}
	}
	counter := func(name, help string, value func(*Counters) uint64) {
		family(name+"_total", "counter", help, func(x *SessionStatus) float64 { return float64(value(&x.Total)) })
	}
	if !st.Reload.At.IsZero() {
		dst = fmt.Appendf(dst, "# HELP rpcapd_last_reload_successful 1 if the last reload of the ini was taken, 0 if it was refused.\n# TYPE rpcapd_last_reload_successful gauge\nrpcapd_last_reload_successful %v\n", truth(st.Reload.Error == ""))
		dst = fmt.Appendf(dst, "# HELP rpcapd_last_reload_timestamp_seconds When the ini was read again last.\n# TYPE rpcapd_last_reload_timestamp_seconds gauge\nrpcapd_last_reload_timestamp_seconds %d\n", st.Reload.At.Unix())
	}
	if len(st.Sessions) == 0 {
		return dst
	}
	family("session_connected", "gauge", "1 while a control connection to the sensor stands.", func(x *SessionStatus) float64 {
		return truth(x.State == StateConnected || x.State == StateReady || x.State == StateCapturing)
	})
	family("session_capturing", "gauge", "1 while frames are captured for the sensor.", func(x *SessionStatus) float64 {
		return truth(x.State == StateCapturing)
	})
	family("connects_total", "counter", "Control connections made.", func(x *SessionStatus) float64 { return float64(x.Connects) })
	family("errors_total", "counter", "Failures of the session, and requests that it refused.", func(x *SessionStatus) float64 { return float64(x.Errors) })
	family("auth_failures_total", "counter", "Authentications refused.", func(x *SessionStatus) float64 { return float64(x.AuthFailures) })
	counter("frames_received", "Frames that the filter accepted.", func(n *Counters) uint64 { return n.Received })
	counter("frames_ring_dropped", "Accepted frames lost because the ring was full.", func(n *Counters) uint64 { return n.RingDrops })
	counter("frames_interface_dropped", "Frames that the device lost before the filter.", func(n *Counters) uint64 { return n.InterfaceDrops })
	counter("frames_captured", "Frames taken from the ring.", func(n *Counters) uint64 { return n.Captured })
	counter("frames_packed", "Frames put into datagrams.", func(n *Counters) uint64 { return n.Packed })
	counter("frames_sampled_out", "Frames left out by sampling.", func(n *Counters) uint64 { return n.Sampled })
	counter("frames_rate_dropped", "Frames left out by the limits of the ini.", func(n *Counters) uint64 { return n.RateDropped })
	counter("captured_bytes", "Bytes taken from the ring.", func(n *Counters) uint64 { return n.CapturedBytes })
	counter("datagrams_sent", "Datagrams sent to the sensor.", func(n *Counters) uint64 { return n.Datagrams })
	counter("datagrams_dropped", "Datagrams dropped when sending.", func(n *Counters) uint64 { return n.SendDropped })
	counter("sent_bytes", "Payload bytes sent to the sensor.", func(n *Counters) uint64 { return n.SentBytes })
	return dst
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

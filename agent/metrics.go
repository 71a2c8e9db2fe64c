package agent

import (
	"fmt"
	"strconv"
	"strings"

	"rpcapd/printable"
)

// labels are those of one session in the metrics.
type labels struct{ session, link string }

// appendMetrics writes the status in the Prometheus text format, for the textfile
// collector of the node exporter. Time stamps of samples are not written: the collector
// refuses a whole file that has any. Hence a gauge that tells when the file was written.
func appendMetrics(dst []byte, st *Status) []byte {
	dst = fmt.Appendf(dst, "# HELP rpcapd_status_timestamp_seconds Time at which this file was written. A killed agent leaves the file behind.\n"+
		"# TYPE rpcapd_status_timestamp_seconds gauge\nrpcapd_status_timestamp_seconds %s\n", number(float64(st.Updated.UnixMilli())/1000))
	if !st.Reload.At.IsZero() {
		dst = fmt.Appendf(dst, "# HELP rpcapd_last_reload_successful 1 if the last reload of the ini succeeded, 0 if the agent refused it.\n# TYPE rpcapd_last_reload_successful gauge\nrpcapd_last_reload_successful %v\n", truth(st.Reload.Error == ""))
		dst = fmt.Appendf(dst, "# HELP rpcapd_last_reload_timestamp_seconds Time of the last reload of the ini.\n# TYPE rpcapd_last_reload_timestamp_seconds gauge\nrpcapd_last_reload_timestamp_seconds %d\n", st.Reload.At.Unix())
	}
	dst = appendLineMetrics(dst, st)
	if len(st.Sessions) == 0 && len(st.Ended) == 0 {
		return dst
	}
	ids, gone := sessionLabels(st.Sessions), make([]string, len(st.Ended))
	for i, e := range st.Ended {
		gone[i] = `sensor="` + labelValue(e.Sensor) + `",session="ended",select=""`
	}
	// Without package fmt writing the files costs an idle agent a quarter less.
	text := func(parts ...string) {
		for _, p := range parts {
			dst = append(dst, p...)
		}
	}
	head := func(name, kind, help string) {
		text("# HELP rpcapd_", name, " ", help, "\n# TYPE rpcapd_", name, " ", kind, "\n")
	}
	sample := func(name, labels string, value float64) {
		text("rpcapd_", name, "{", labels, "} ")
		dst = append(strconv.AppendFloat(dst, value, 'f', -1, 64), '\n')
	}
	family := func(name, kind, help string, value func(*SessionStatus) float64) {
		head(name, kind, help)
		for i := range st.Sessions {
			sample(name, ids[i].session, value(&st.Sessions[i]))
		}
	}
	// captures is a family that only running captures have.
	captures := func(name, help string, value func(*CaptureStatus) (float64, bool)) {
		head(name, "gauge", help)
		for i := range st.Sessions {
			if c := st.Sessions[i].Capture; c != nil && c.Running {
				if v, known := value(c); known {
					sample(name, ids[i].session, v)
				}
			}
		}
	}
	// total is a family that goes on to count what sessions have done whose interface is gone.
	total := func(name, help string, value func(*SessionStatus) uint64, ended func(*EndedStatus) uint64) {
		family(name+"_total", "counter", help, func(x *SessionStatus) float64 { return float64(value(x)) })
		for i := range st.Ended {
			sample(name+"_total", gone[i], float64(ended(&st.Ended[i])))
		}
	}
	counter := func(name, help string, value func(*Counters) uint64) {
		total(name, help, func(x *SessionStatus) uint64 { return value(&x.Total) }, func(e *EndedStatus) uint64 { return value(&e.Total) })
	}
	family("session_connected", "gauge", "1 while there is a control connection to the sensor.", func(x *SessionStatus) float64 {
		return truth(x.State == StateConnected || x.State == StateReady || x.State == StateCapturing)
	})
	family("session_capturing", "gauge", "1 while frames are captured for the sensor: a capture runs and its interface is up.", func(x *SessionStatus) float64 {
		return truth(x.State == StateCapturing && (x.Capture == nil || x.Capture.Link != LinkDown && x.Capture.Link != LinkDeleted))
	})
	head("interface_up", "gauge", "1 while the interface of a capture is up, 0 while it is down or deleted; absent without a capture.")
	for i := range st.Sessions {
		if up, known := st.Sessions[i].interfaceUp(); known {
			sample("interface_up", ids[i].link, truth(up))
		}
	}
	total("interface_events", "Changes of the interface of a capture: down, up, deleted, back.", func(x *SessionStatus) uint64 { return x.InterfaceEvents }, func(e *EndedStatus) uint64 { return e.Events })
	total("connects", "Control connections made.", func(x *SessionStatus) uint64 { return x.Connects }, func(e *EndedStatus) uint64 { return e.Connects })
	total("errors", "Failures of the session, and requests that it refused.", func(x *SessionStatus) uint64 { return x.Errors }, func(e *EndedStatus) uint64 { return e.Errors })
	total("auth_failures", "Authentications refused.", func(x *SessionStatus) uint64 { return x.AuthFailures }, func(e *EndedStatus) uint64 { return e.AuthFailures })
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
	head("datagrams_dropped_by_errno_total", "counter", "Datagrams dropped when sending, by reason.")
	for i := range st.Sessions {
		for _, d := range st.Sessions[i].SendDrops {
			sample("datagrams_dropped_by_errno_total", ids[i].session+`,errno="`+labelValue(d.Errno)+`"`, float64(d.Datagrams))
		}
	}
	for i := range st.Ended {
		for _, d := range st.Ended[i].SendDrops {
			sample("datagrams_dropped_by_errno_total", gone[i]+`,errno="`+labelValue(d.Errno)+`"`, float64(d.Datagrams))
		}
	}
	head("send_errors_by_errno_total", "counter", "Send errors by errno; the datagrams were sent again or dropped.")
	for i := range st.Sessions {
		for _, e := range st.Sessions[i].SendErrors {
			sample("send_errors_by_errno_total", ids[i].session+`,errno="`+labelValue(e.Errno)+`"`, float64(e.Errors))
		}
	}
	for i := range st.Ended {
		for _, e := range st.Ended[i].SendErrors {
			sample("send_errors_by_errno_total", gone[i]+`,errno="`+labelValue(e.Errno)+`"`, float64(e.Errors))
		}
	}
	counter("send_refusals", "Sends that this host refused (EPERM, EACCES).", func(n *Counters) uint64 { return n.SendRefusals })
	counter("sent_bytes", "Payload bytes sent to the sensor.", func(n *Counters) uint64 { return n.SentBytes })
	captures("segmentation_offload", "1 while datagrams leave as super-packets.", func(c *CaptureStatus) (float64, bool) { return truth(c.GSO == "on"), c.GSO != "" })
	captures("datagram_limit_bytes", "Payload of the largest datagram that is sent.", func(c *CaptureStatus) (float64, bool) { return float64(c.Datagram), c.Datagram > 0 })
	dst = fmt.Appendf(dst, "# HELP rpcapd_shedding_episodes_total Load-shedding episodes that MaxCPU caused.\n# TYPE rpcapd_shedding_episodes_total counter\nrpcapd_shedding_episodes_total %d\n", st.Sheddings)
	captures("shedding_one_in", "The agent keeps one frame in this many, because of MaxCPU.", func(c *CaptureStatus) (float64, bool) { return float64(max(c.Shedding, 1)), true })
	file := func(name, help string, value func(*CaptureStatus) uint64) {
		head(name, "gauge", help)
		for i := range st.Sessions {
			if c := st.Sessions[i].Capture; c != nil && value(c) > 0 {
				sample(name, ids[i].session, float64(value(c)))
			}
		}
	}
	file("file_cut_frames", "Frames of the capture file that were longer than any snap length, and were cut.", func(c *CaptureStatus) uint64 { return c.FileCut })
	file("file_other_link_frames", "Frames of the capture file that had another link type than its first, and were left out.", func(c *CaptureStatus) uint64 { return c.FileOtherLink })
	return dst
}

// appendLineMetrics writes what only agents have with lines that mean several interfaces.
func appendLineMetrics(dst []byte, st *Status) []byte {
	if len(st.Lines) == 0 {
		return dst
	}
	dst = fmt.Appendf(dst, "# HELP rpcapd_sessions_limit MaxSessions, or its default.\n# TYPE rpcapd_sessions_limit gauge\nrpcapd_sessions_limit %d\n", st.MaxSessions)
	for _, m := range []struct {
		name, help string
		value      func(*LineStatus) int
	}{
		{"selected_interfaces", "Interfaces that a line with patterns has sessions for.", func(l *LineStatus) int { return len(l.Interfaces) }},
		{"refused_interfaces", "Interfaces that a line with patterns has no session for, because of MaxSessions.", func(l *LineStatus) int { return l.RefusedCount }},
	} {
		dst = fmt.Appendf(dst, "# HELP rpcapd_%s %s\n# TYPE rpcapd_%s gauge\n", m.name, m.help, m.name)
		same := make(map[string]int)
		for i := range st.Lines {
			l := &st.Lines[i]
			labels := fmt.Sprintf(`sensor="%s",select="%s"`, labelValue(l.Sensor), labelValue(l.Select))
			dst = fmt.Appendf(dst, "rpcapd_%s{%s,number=\"%d\"} %d\n", m.name, labels, same[labels], m.value(l))
			same[labels]++
		}
	}
	return dst
}

// interfaceUp says whether the interface of a session can bring frames, if that is known.
func (x *SessionStatus) interfaceUp() (up, known bool) {
	switch {
	case x.State == StateWaiting:
		return false, true
	case x.Capture != nil && x.Capture.Running:
		return x.Capture.Link == LinkUp || x.Capture.Link == "", true
	}
	return false, false
}

// sessionLabels name each session by what its line says, so that a series stays the same
// when lines before it come and go. Sessions that say the same, such as the members of a
// fanout group, are numbered.
func sessionLabels(sessions []SessionStatus) []labels {
	same := make(map[string]int)
	ids := make([]labels, len(sessions))
	for i := range sessions {
		x := &sessions[i]
		sensor, sel := labelValue(x.Sensor), labelValue(x.Select)
		key := sensor + "\x00" + sel
		ids[i].session = fmt.Sprintf(`sensor="%s",session="%d",select="%s"`, sensor, same[key], sel)
		name := x.Preselected
		if x.Capture != nil && x.Capture.Running {
			name = x.Capture.Interface
		}
		ids[i].link = ids[i].session + `,interface="` + labelValue(name) + `"`
		same[key]++
	}
	return ids
}

// labelValue makes text fit to stand between quotation marks: the format knows three escapes
// and nothing else, and a byte that is not UTF-8 voids the whole file.
func labelValue(s string) string { return labelEscapes.Replace(printable.Text(s)) }

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

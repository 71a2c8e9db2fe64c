package tap

import (
	"errors"
	"strconv"

	"rpcapd/sensor/sink"
)

// Status describes the sink for the sensor's status.
func (s *Sink) Status() sink.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	guard := "on"
	switch {
	case errors.Is(s.unguarded, errNoGuard):
		guard = "not wanted"
	case s.unguarded != nil:
		guard = "off"
	}
	number := func(name string, n uint64, total bool) sink.Detail {
		return sink.Detail{Name: name, Text: strconv.FormatUint(n, 10), Number: n, Numeric: true, Total: total}
	}
	st := sink.Status{
		Kind: "tap", State: s.state, Since: s.since, Error: s.err, ErrorAt: s.errAt,
		Details: []sink.Detail{
			{Name: "interface", Text: s.opts.Interface},
			number("mtu", uint64(s.mtuNow), false),
			{Name: "guard", Text: guard},
			number("frames that cannot be ethernet", s.unfit, true),
			number("frames refused by the kernel", s.refused, true),
		},
	}
	if guard == "off" {
		st.Details = append(st.Details, sink.Detail{Name: "guard is off because", Text: s.unguarded.Error()})
	}
	return st
}

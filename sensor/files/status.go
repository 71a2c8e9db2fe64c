package files

import (
	"strconv"

	"rpcapd/sensor/sink"
)

// Status describes the sink for the sensor's status.
func (s *Sink) Status() sink.Status {
	s.mu.Lock()
	st := sink.Status{Kind: "file", State: s.state, Since: s.since, Error: s.err, ErrorAt: s.errAt}
	lost, unfit, crowded, taken := s.lost.frames, s.unfit, s.crowded, s.takenAway
	s.mu.Unlock()
	st.Details = []sink.Detail{
		{Name: "path", Text: s.opts.Path},
		number("files in use", uint64(max(s.openFiles.Load(), 0)), false),
		number("bytes in use", uint64(max(s.inUse.Load(), 0)), false),
		number("files completed", s.completed.Load(), true),
		number("files recovered", s.recovered.Load(), true),
		number("files deleted", s.deleted.Load(), true),
		number("bytes written", s.written.Load(), true),
		number("frames lost when writing failed", lost, true),
		number("frames of another link type", unfit, true),
		number("frames beyond the number of files", crowded, true),
		number("files taken away", taken, true),
	}
	if l := s.kept.Load(); l != nil && s.opts.retains() {
		files, bytes, forgotten := l.sums()
		st.Details = append(st.Details, number("files kept", uint64(files), false), number("bytes kept", uint64(bytes), false),
			number("files too many to be remembered", forgotten, true))
	}
	if name := s.last.Load(); name != nil {
		st.Details = append(st.Details, sink.Detail{Name: "last file", Text: *name})
	}
	return st
}

func number(name string, n uint64, total bool) sink.Detail {
	return sink.Detail{Name: name, Text: strconv.FormatUint(n, 10), Number: n, Numeric: true, Total: total}
}

package files

import (
	"io"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// TestSecondLinkType: programs such as tcpdump stop at a second link type, so the log says once that there is one.
func TestSecondLinkType(t *testing.T) {
	for name, tc := range map[string]struct {
		sink func(log *zap.Logger) sink.Sink
		want int
	}{
		"standard output": {func(log *zap.Logger) sink.Sink { return NewSingle("standard output", io.Discard, true, log) }, 1},
		"one file":        {func(log *zap.Logger) sink.Sink { return NewSingle("x", io.Discard, false, log) }, 1},
		"files":           {fileSink(t, Options{}), 1},
		"classic files":   {fileSink(t, Options{Format: savefile.Pcap}), 1},
		"told apart":      {fileSink(t, Options{Path: "{linktype}.pcapng"}), 0},
	} {
		core, logs := observer.New(zap.WarnLevel)
		s := tc.sink(zap.New(core))
		stop := runSink(s)
		for i, linkType := range []uint32{1, 1, 12, 12, 113} {
			f := s.Attach(testSource("web", string(rune('a'+i)), linkType))
			f.Frame(packet(testFrames(1, 60)[0], 1))
			f.Detach(sink.Forwarded{})
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if n := logs.Len(); n != tc.want {
			t.Errorf("%s: %d lines of log, want %d: %v", name, n, tc.want, logs.All())
		}
	}
}

func fileSink(t *testing.T, o Options) func(*zap.Logger) sink.Sink {
	return func(log *zap.Logger) sink.Sink {
		o.Name, o.Log = "file", log
		if o.Path == "" {
			o.Path = "x.cap"
		}
		o.Path = filepath.Join(t.TempDir(), o.Path)
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

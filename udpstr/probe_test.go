package udpstr

import (
	"bytes"
	"testing"
	"time"
)

// TestProbe: a probe is read as it was written, its echo has the same bytes but one, and nothing shorter is a probe.
func TestProbe(t *testing.T) {
	for _, size := range []int{ProbeHeaderLen, 64, 1472, MaxProbe} {
		want := Probe{Size: size, Number: 7, Token: 0x0123456789abcdef}
		b := want.Append(nil)
		if got, ok := ParseProbe(b); !ok || got != want || !IsProbe(b) || len(b) != size {
			t.Fatalf("size %d: %+v, %v", size, got, ok)
		}
		for n := range b {
			if p, ok := ParseProbe(b[:n]); ok {
				t.Fatalf("%d of %d bytes are a probe: %+v", n, size, p)
			}
		}
		echo := bytes.Clone(b)
		MakeEcho(echo)
		want.Echo = true
		if got, ok := ParseProbe(echo); !ok || got != want || IsProbe(echo) {
			t.Errorf("echo: %+v, %v", got, ok)
		}
		b[1], echo[1] = 0, 0
		if !bytes.Equal(b, echo) {
			t.Error("the echo differs in more than its type")
		}
	}
	for name, b := range map[string][]byte{
		"version": {1, ProbeType, 0, 16, 15: 0}, "type": {0, Type, 0, 16, 15: 0}, "size": {0, ProbeType, 0, 17, 15: 0},
		"longer": append(Probe{Size: MaxProbe}.Append(nil), 0),
	} {
		if p, ok := ParseProbe(b); ok {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestProbeIsNoDatagram: a reassembler refuses a probe as malformed, and the stream goes on without a gap.
func TestProbeIsNoDatagram(t *testing.T) {
	stream := smallStream(t, 2)
	c := newCollector(ReassemblerConfig{Hold: 10 * time.Millisecond})
	c.feed(stream[0], epoch)
	c.feed(Probe{Size: 64, Number: 99}.Append(nil), epoch)
	c.feed(stream[1], epoch)
	if n := c.Counters(); n.Malformed != 1 || n.Lost != 0 || n.InOrder != 2 || c.numbers() != "[1 2]" {
		t.Errorf("%+v, frames %s", n, c.numbers())
	}
}

func FuzzParseProbe(f *testing.F) {
	f.Add(Probe{Size: 64, Number: 1, Token: 2}.Append(nil))
	f.Add([]byte{0, EchoType, 0, 16, 15: 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, ok := ParseProbe(b)
		if !ok {
			return
		}
		if got, ok := ParseProbe(p.Append(nil)); !ok || got != p {
			t.Errorf("%+v became %+v, %v", p, got, ok)
		}
	})
}

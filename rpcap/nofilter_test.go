package rpcap

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// withoutFilter is what libpcap's client sends when its program has set no filter, byte
// for byte: the payload of 20 has a filter of one instruction, which follows it.
func withoutFilter() (request, instruction []byte) {
	return []byte{
		0, 4, 0, 0, 0, 0, 0, 20,
		0, 4, 0, 0, 0, 0, 3, 0xe8, 0, 1, 0xc3, 0x50,
		0, 1, 0, 0, 0, 0, 0, 1,
	}, []byte{0, 6, 0, 0, 0, 4, 0, 0}
}

func TestEndsBeforeInstruction(t *testing.T) {
	start, _ := withoutFilter()
	start = start[HeaderLen:]
	update := start[startCaptureFixed:]
	changed := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] = v
		return b
	}
	for _, c := range []struct {
		name    string
		typ     Type
		payload []byte
		want    bool
	}{
		{"STARTCAP", TypeStartCaptureRequest, start, true},
		{"UPDATEFILTER", TypeUpdateFilterRequest, update, true},
		{"another request", TypeOpenRequest, update, false},
		{"AUTH", TypeAuthRequest, start, false},
		{"a byte less", TypeStartCaptureRequest, start[:19], false},
		{"a byte more", TypeStartCaptureRequest, append(bytes.Clone(start), 0), false},
		{"UPDATEFILTER, a byte less", TypeUpdateFilterRequest, update[:7], false},
		{"nothing", TypeStartCaptureRequest, nil, false},
		{"another filter type", TypeStartCaptureRequest, changed(start, 13, 2), false},
		{"no instruction", TypeStartCaptureRequest, changed(start, 19, 0), false},
		{"two instructions", TypeStartCaptureRequest, changed(start, 19, 2), false},
		{"2^24 + 1 instructions", TypeStartCaptureRequest, changed(start, 16, 1), false},
		{"whole", TypeStartCaptureRequest, StartCaptureRequest{Filter: AcceptAll()}.Append(nil)[HeaderLen:], false},
	} {
		if got := EndsBeforeInstruction(c.typ, c.payload); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestTakeInstruction sends what may stand behind the request, cut at every place: the
// instruction is taken, anything else is read as what it is, and soon.
func TestTakeInstruction(t *testing.T) {
	request, instruction := withoutFilter()
	closing := AppendEmpty(nil, TypeClose)
	stats := AppendEmpty(nil, TypeStatsRequest)
	for _, c := range []struct {
		name   string
		behind []byte
		taken  bool
		next   Type // of the message behind it
	}{
		{"instruction, CLOSE", append(bytes.Clone(instruction), closing...), true, TypeClose},
		{"return 1, STATS", append([]byte{0, 6, 0, 0, 0, 0, 0, 1}, stats...), true, TypeStatsRequest},
		{"CLOSE", closing, false, TypeClose},
		{"STATS", stats, false, TypeStatsRequest},
		{"another STARTCAP", append(bytes.Clone(request), instruction...), false, TypeStartCaptureRequest},
		{"an ERROR", (&Error{Code: CodeRead, Text: "x"}).Append(nil), false, TypeError},
	} {
		for cut := range len(c.behind) + 1 {
			t.Run(fmt.Sprintf("%s/%d", c.name, cut), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					conn, raw := pipe(t, MaxRequestPayload)
					go func() {
						raw.Write(request)
						time.Sleep(time.Second / 2)
						raw.Write(c.behind[:cut])
						time.Sleep(time.Second)
						raw.Write(c.behind[cut:])
					}()
					h, payload, err := conn.ReadMessage(never)
					if err != nil || !EndsBeforeInstruction(h.Type, payload) {
						t.Fatalf("%+v, % x, %v", h, payload, err)
					}
					payload = conn.TakeInstruction(payload, time.Now().Add(2*time.Second))
					m, _, err := ParseStartCaptureRequest(payload)
					if (err == nil) != c.taken || c.taken && (len(m.Filter) != 1 || m.Filter[0].K == 0) {
						t.Errorf("taken %v: % x, %v", c.taken, payload, err)
					}
					if h, _, err = conn.ReadMessage(never); err != nil || h.Type != c.next {
						t.Errorf("then %+v, %v, want %s", h, err, c.next)
					}
					time.Sleep(2 * time.Second) // the rest is sent
				})
			})
		}
	}
}

// TestTakeInstructionWaits: only as long as the bytes may be the instruction, and never
// beyond the deadline; what came of it stays.
func TestTakeInstructionWaits(t *testing.T) {
	request, _ := withoutFilter()
	for _, c := range []struct {
		behind string
		waits  time.Duration
	}{
		{"", 2 * time.Second},
		{"\x00\x06\x00", 2 * time.Second},
		{"\x00\x06\x00\x00\x00\x00\x00", 2 * time.Second},
		{"\x00\x09", 0},
		{"\x01", 0},
		{"\x00\x06\x00\x00\x00\x00\x00\x00", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			conn, raw := pipe(t, MaxRequestPayload)
			go raw.Write(append(bytes.Clone(request), c.behind...))
			_, payload, err := conn.ReadMessage(never)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			if got := conn.TakeInstruction(payload, began.Add(2*time.Second)); len(got) != 20 {
				t.Errorf("%q: taken", c.behind)
			}
			if d := time.Since(began); d != c.waits {
				t.Errorf("%q: waited %v, want %v", c.behind, d, c.waits)
			}
			go raw.Write(make([]byte, HeaderLen))
			if h, _, err := conn.ReadMessage(never); err != nil || c.behind != "" && h.Type != Type((c.behind + "\x00")[1]) {
				t.Errorf("%q: then %+v, %v", c.behind, h, err)
			}
		})
	}
}

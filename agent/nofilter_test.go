package agent

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
)

// What libpcap's client sends when its program has set no filter, byte for byte: the
// length of an empty filter, one instruction announced, and that one behind the message.
const (
	startWithoutFilter = "\x00\x04\x00\x00\x00\x00\x00\x14" + "\x00\x04\x00\x00\x00\x00\x03\xe8\x00\x02\xc3\x50" +
		"\x00\x01\x00\x00\x00\x00\x00\x01"
	updateWithoutFilter = "\x00\x05\x00\x00\x00\x00\x00\x08" + "\x00\x01\x00\x00\x00\x00\x00\x01"
	noFilterInstruction = "\x00\x06\x00\x00\x00\x04\x00\x00"
)

// withoutFilter is a session of such a client.
func withoutFilter(file string) []byte {
	b := rpcap.AuthRequest{}.Append(nil)
	b = rpcap.OpenRequest{Name: file}.Append(b)
	return append(b, startWithoutFilter+noFilterInstruction+updateWithoutFilter+noFilterInstruction...)
}

// TestClientWithoutFilter plays the bytes in two pieces, cut at every place, with a
// pause between them, and byte by byte: the client gets its capture, and what follows
// is understood.
func TestClientWithoutFilter(t *testing.T) {
	file := writeCaptureFile(t, 20)
	start, update := startWithoutFilter+noFilterInstruction, updateWithoutFilter+noFilterInstruction
	stats := string(rpcap.AppendEmpty(nil, rpcap.TypeStatsRequest))
	end := string(rpcap.AppendEmpty(nil, rpcap.TypeEndCaptureRequest))
	closing := string(rpcap.AppendEmpty(nil, rpcap.TypeClose))
	errorMessage := rpcap.TypeError
	for _, c := range []struct {
		name    string
		stream  string
		answers []rpcap.Type
	}{
		{"CLOSE", start + closing, []rpcap.Type{rpcap.TypeStartCaptureReply}},
		{"STATS", start + stats + closing, []rpcap.Type{rpcap.TypeStartCaptureReply, rpcap.TypeStatsReply}},
		{"a second one", start + start + stats + closing,
			[]rpcap.Type{rpcap.TypeStartCaptureReply, errorMessage, rpcap.TypeStatsReply}},
		{"UPDATEFILTER", start + update + stats + end + closing,
			[]rpcap.Type{rpcap.TypeStartCaptureReply, rpcap.TypeUpdateFilterReply, rpcap.TypeStatsReply, rpcap.TypeEndCaptureReply}},
		{"UPDATEFILTER without a capture", update + stats + closing, []rpcap.Type{errorMessage, rpcap.TypeStatsReply}},
		{"an instruction that is missing", startWithoutFilter + stats + updateWithoutFilter + closing,
			[]rpcap.Type{errorMessage, rpcap.TypeStatsReply, errorMessage}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for cut := range len(c.stream) {
				playWithoutFilter(t, file, c.stream[:cut], c.stream[cut:], 1500*time.Millisecond, c.answers)
			}
			playWithoutFilter(t, file, c.stream, "", 200*time.Millisecond, c.answers)
		})
	}
}

// playWithoutFilter sends whole, a pause and rest; with no rest it sends byte by byte with
// that pause between them.
func playWithoutFilter(t *testing.T, file, whole, rest string, pause time.Duration, want []rpcap.Type) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, file, func(o *Options) { o.DryRun = true })
		p, ended := r.connect()
		p.authenticate()
		p.open(r.file)
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			pieces := []string{whole, rest}
			if rest == "" {
				pieces = strings.Split(whole, "")
			}
			for _, piece := range pieces {
				p.conn.Write([]byte(piece))
				time.Sleep(pause)
			}
		}()
		for _, typ := range want {
			p.want(typ)
		}
		p.wantClosed()
		if err := <-ended; !errors.Is(err, errClosedBySensor) {
			t.Errorf("cut at %d: ended with %v, want the CLOSE", len(whole), err)
		}
		p.conn.Close()
		<-sent
	})
}

// TestShortFilterIsAnswered: a message that ends behind a filter header and is followed
// by nothing, or by what is no instruction, is answered after 2 s at most.
func TestShortFilterIsAnswered(t *testing.T) {
	file := writeCaptureFile(t, 1)
	for _, behind := range []string{"", "\x00", "\x00\x06\x00\x00\x00\x00\x00", "\x00\x0a"} {
		for msg, code := range map[string]rpcap.Code{startWithoutFilter: rpcap.CodeStartCapture, updateWithoutFilter: rpcap.CodeUpdateFilter} {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, file, nil)
				p, ended := r.connect()
				p.authenticate()
				p.open(r.file)
				began := time.Now()
				go p.conn.Write([]byte(msg + behind))
				p.wantError(code)
				if d := time.Since(began); d > instructionTimeout {
					t.Errorf("%q: answered after %v", behind, d)
				}
				p.conn.Close()
				<-ended
			})
		}
	}
}

// TestOtherShortPrograms: only the one program of libpcap's client goes beyond its
// message.
func TestOtherShortPrograms(t *testing.T) {
	file := writeCaptureFile(t, 1)
	for at, v := range map[int]byte{13: 2, 19: 2, 16: 1} { // another type, two instructions, 2^24 + 1
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, file, nil)
			p, ended := r.connect()
			p.authenticate()
			p.open(r.file)
			msg := bytes.Clone([]byte(startWithoutFilter))
			msg[rpcap.HeaderLen+at] = v
			began := time.Now()
			p.send(msg)
			p.wantError(rpcap.CodeStartCapture)
			if d := time.Since(began); d != 0 {
				t.Errorf("%s: waited %v", fmt.Sprint(at, v), d)
			}
			p.stats()
			p.conn.Close()
			<-ended
		})
	}
}

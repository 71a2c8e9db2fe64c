package agent

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"rpcapd/rpcap"
)

// FuzzSession is a sensor that sends any bytes and then hangs up: every request is
// answered by exactly one message until the stream ends or cannot be followed, and
// when the session is over nothing of it is left (a goroutine that stays would be a
// deadlock of the bubble).
func FuzzSession(f *testing.F) {
	file := writeCaptureFile(f, 20)
	for _, pattern := range []string{"*.sensor-to-agent.bin", "errors/*.sensor-to-agent.bin"} {
		names, err := filepath.Glob(filepath.Join(vectors, pattern))
		if err != nil || len(names) < 10 {
			f.Fatalf("%d recordings, %v", len(names), err)
		}
		for _, path := range names {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
			f.Add(withInterface(b, filepath.Base(file)))
		}
	}
	for _, follower := range [][]byte{nil, rpcap.AppendEmpty(nil, rpcap.TypeClose), {0, 6}} {
		f.Add(append(withoutFilter(filepath.Base(file)), follower...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, file, func(o *Options) { o.DryRun = true })
			p, ended := r.connect()
			go p.conn.Write(b)
			// Every pause is over then, and the wait for the rest of a message.
			defer time.AfterFunc(time.Hour, func() { p.conn.Close() }).Stop()
			checkAnswers(t, b, readAnswers(t, p.conn))
			<-ended
			p.conn.Close()
			synctest.Wait()
			if live := r.x.snapshot(); live.Capture != nil && live.Capture.Running {
				t.Error("a capture goes on without a connection")
			}
		})
	})
}

// noFilter tells whether b begins with the instruction of "no filter".
func noFilter(b []byte) bool {
	return len(b) >= 8 && string(b[:4]) == "\x00\x06\x00\x00" && string(b[4:8]) != "\x00\x00\x00\x00"
}

// withInterface replaces the interface of OPEN requests, so that recordings capture here.
func withInterface(b []byte, name string) (out []byte) {
	for len(b) > 0 {
		h, _, err := rpcap.ParseHeader(b)
		if err != nil || len(b) < rpcap.HeaderLen+int(h.PayloadLen) {
			return append(out, b...)
		}
		if msg := b[:rpcap.HeaderLen+int(h.PayloadLen)]; h.Type == rpcap.TypeOpenRequest {
			out = rpcap.OpenRequest{Name: name}.Append(out)
		} else {
			out = append(out, msg...)
		}
		b = b[rpcap.HeaderLen+int(h.PayloadLen):]
	}
	return out
}

// readAnswers takes what the agent says until it closes.
func readAnswers(t *testing.T, conn io.Reader) (answers []rpcap.Header) {
	all, err := io.ReadAll(conn)
	if err != nil && err != io.ErrClosedPipe {
		t.Fatal(err)
	}
	for len(all) > 0 {
		h, n, err := rpcap.ParseHeader(all)
		if err != nil || len(all)-n < int(h.PayloadLen) || h.Version != rpcap.Version {
			t.Fatalf("the agent sent % x: %v", all[:min(len(all), 40)], err)
		}
		answers = append(answers, h)
		all = all[n+int(h.PayloadLen):]
	}
	return answers
}

// checkAnswers walks over both streams side by side.
func checkAnswers(t *testing.T, requests []byte, answers []rpcap.Header) {
	authenticated := false
	next := func(h rpcap.Header) {
		if len(answers) == 0 {
			t.Fatalf("%s is not answered", h.Type)
		}
		a := answers[0]
		answers = answers[1:]
		if a.Type != rpcap.TypeError && (a.Type != h.Type.Reply() || h.Version != rpcap.Version) {
			t.Fatalf("%s of version %d is answered by %s", h.Type, h.Version, a.Type)
		}
		authenticated = authenticated || a.Type == rpcap.TypeAuthReply
	}
	for {
		h, n, err := rpcap.ParseHeader(requests)
		if err != nil {
			break // the stream ends inside a header, or between two messages
		}
		if h.PayloadLen > rpcap.MaxRequestPayload {
			next(rpcap.Header{Type: h.Type, Version: 255}) // an error, and the end
			break
		}
		if len(requests)-n < int(h.PayloadLen) {
			break
		}
		if h.Version == rpcap.Version && (h.Type == rpcap.TypeClose || h.Type == rpcap.TypeError && !authenticated) {
			break
		}
		if h.Version != rpcap.Version || h.Type != rpcap.TypeError {
			next(h)
		}
		end := n + int(h.PayloadLen)
		if rpcap.EndsBeforeInstruction(h.Type, requests[n:end]) && noFilter(requests[end:]) {
			end += 8
		}
		requests = requests[end:]
	}
	if len(answers) != 0 {
		t.Errorf("%d answers to nothing", len(answers))
	}
}

package hostile

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"rpcapd/rpcap"
	"rpcapd/test/harness"
)

// ugly has what commands a terminal, forges a line of a log or hides what stands beside it: ESC, BEL, CR, LF, NUL, DEL, C1
// (as UTF-8 and as a byte), a change of the direction of writing, line separators, and what is no UTF-8.
const ugly = "\x1b[2J\x1b]0;owned\x07\r\n2026-01-01T00:00:00.000Z\tERROR\tforged\x00\x7f\u0085\u009b31m\x9b\u202egpj\u2066\u2028\u200b\xff"

// harmless has the same place without any of it.
const harmless = "harmless"

// scene is a sensor with everything that shows names, and agents that call everything name.
type scene struct {
	*running
	http netip.AddrPort
	ip   netip.AddrPort // PCAP-over-IP
}

func startScene(t *testing.T, format string) *scene {
	t.Helper()
	s := &scene{running: &running{control: freePort(t), data: freePort(t)}, http: freePort(t), ip: freePort(t)}
	dir := t.TempDir()
	ini := fmt.Sprintf("Listen = 127.0.0.1\n[rule all]\nPort = %d\n[data]\nFirstPort = %d\nPorts = 1\n[http]\nListen = %s\n[pcap-over-ip]\nListen = %s\n"+
		"[file all]\nPath = %s/{host}/{interface}.pcapng\nSplit = agent\n", s.control.Port(), s.data.Port(), s.http, s.ip, dir)
	s.program = start(t, nil, 0, "rpcap-sensor", "-f", write(t, "rpcap-sensor.ini", []byte(ini)), "--log-format", format, "--log-level", "debug")
	s.Says("waiting for agents", 1)
	s.Says("showing health", 1)
	return s
}

// refusal is an ERROR as it is, not as this project would write it.
func refusal(code rpcap.Code, text string) []byte {
	return append(rpcap.Header{Type: rpcap.TypeError, Value: uint16(code), PayloadLen: uint32(len(text))}.Append(nil), text...)
}

// actor is an agent that refuses one kind of request, and calls everything name.
func actor(c net.Conn, refuses rpcap.Type, name string, captures chan<- struct{}) {
	for {
		h, _ := readMessage(c)
		reply := rpcap.AppendEmpty(nil, h.Type.Reply())
		switch h.Type {
		case 0:
			return
		case refuses:
			reply = refusal(rpcap.CodeOpen, "refused: "+name)
		case rpcap.TypeFindAllRequest:
			reply = rpcap.NewInterfaceList(rpcap.Interface{Name: "eth" + name, Description: "the " + name, Flags: rpcap.InterfaceUp}).Append(nil)
		case rpcap.TypeOpenRequest:
			reply = rpcap.OpenReply{LinkType: 1}.Append(nil)
		case rpcap.TypeStartCaptureRequest:
			reply = rpcap.StartCaptureReply{}.Append(nil)
		case rpcap.TypeStatsRequest:
			reply = rpcap.StatsReply{IfRecv: 3, Captured: 3}.Append(nil)
		}
		if _, err := c.Write(reply); err != nil {
			return
		}
		if h.Type == rpcap.TypeStartCaptureRequest && captures != nil {
			captures <- struct{}{}
		}
	}
}

// play lets agents of every kind of trouble come, with their names, and returns all that the sensor shows, by the place where
// it does.
func (s *scene) play(name string) map[string]string {
	t := s.T
	shown := make(map[string]string)
	captures := make(chan struct{}, 1)
	good := from(t, "tcp", 1, s.control)
	defer good.Close()
	go actor(good, 0, name, captures)
	<-captures
	for i, r := range []rpcap.Type{rpcap.TypeAuthRequest, rpcap.TypeFindAllRequest, rpcap.TypeOpenRequest, rpcap.TypeStartCaptureRequest} {
		c := from(t, "tcp", 2+i, s.control)
		defer c.Close()
		go actor(c, r, name, nil)
	}
	if c, err := net.Dial("tcp", s.ip.String()); err == nil {
		fmt.Fprintf(c, "nonsense=%s\n", strings.ReplaceAll(name, "\n", " ")) // refused, with an answer that names it
		defer c.Close()
	}
	s.until(`"state":"held"`, "/api/v1/peers", 4)
	peer := "127.0.1.2/eth" + name
	for _, path := range []string{
		"/", "/?peer=" + url.QueryEscape(peer), "/?q=" + url.QueryEscape(name), "/?sort=" + url.QueryEscape(name), "/metrics",
		"/api/v1/status", "/api/v1/peers", "/api/v1/ports", "/api/v1/sinks", "/api/v1/problems", "/api/v1/history",
		"/api/v1/history?peer=" + url.QueryEscape(peer), "/api/v1/peers?sort=" + url.QueryEscape(name), "/readyz",
	} {
		shown[path] = s.get(path)
	}
	top, err := exec.Command(harness.Program(t, "rpcap-sensor"), "top", "--once", "--url", "http://"+s.http.String()).CombinedOutput()
	if err != nil || !strings.Contains(string(top), "127.0.1.2/eth") {
		t.Errorf("top: %v\n%s", err, top)
	}
	shown["top"] = string(top)
	_, _ = good.Write(refusal(rpcap.CodeRead, "capture ended: "+name)) // ends its session
	s.until("capture ended: ", "/api/v1/peers", 1)
	s.signal(syscall.SIGUSR1)
	s.Says("rpcap-sensor: ", 1)
	s.stop(stopLimit)
	shown["log"] = s.Text()
	return shown
}

func (s *scene) get(path string) string {
	s.T.Helper()
	c := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + s.http.String() + path)
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return string(b)
}

// until waits until a path shows a text n times.
func (s *scene) until(text, path string, n int) {
	s.T.Helper()
	for limit := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		got := s.get(path)
		if strings.Count(got, text) >= n {
			return
		}
		if time.Now().After(limit) {
			s.T.Fatalf("%s does not show %q %d times:\n%s", path, text, n, got)
		}
	}
}

// unprintable is the first character of a text that must not be shown, -1 if there is none.
func unprintable(text string) rune {
	if !utf8.ValidString(text) {
		return utf8.RuneError
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return r
		}
	}
	return -1
}

// TestNamesOfAgents: whatever agents call themselves, their interfaces and their errors, no byte of it commands a terminal
// anywhere, and log and top have as many lines as without.
func TestNamesOfAgents(t *testing.T) {
	var mu sync.Mutex
	lines := make(map[string]int)
	t.Run("scenes", func(t *testing.T) {
		for _, format := range []string{"console", "json"} {
			for what, name := range map[string]string{"harmless": harmless, "ugly": ugly} {
				t.Run(what+" "+format, func(t *testing.T) {
					t.Parallel()
					for place, text := range startScene(t, format).play(name) {
						if r := unprintable(text); r >= 0 {
							at := strings.IndexRune(text, r)
							t.Errorf("%s shows %U: %q", place, r, text[max(0, at-100):min(len(text), at+20)])
						}
						mu.Lock()
						lines[place+" "+format+" "+what] = strings.Count(text, "\n")
						mu.Unlock()
					}
				})
			}
		}
	})
	for _, place := range []string{"log console", "log json", "top console"} {
		if a, b := lines[place+" harmless"], lines[place+" ugly"]; a != b || a == 0 {
			t.Errorf("%s has %d lines, with ugly names %d", place, a, b)
		}
	}
}

// TestNamesInCapture is the same for the summary of rpcap-sensor capture.
func TestNamesInCapture(t *testing.T) {
	control, data := freePort(t), freePort(t)
	out := filepath.Join(t.TempDir(), "out.pcapng")
	p := start(t, nil, 0, "rpcap-sensor", "capture", "-w", out, "--listen", control.String(), "--udp-port", fmt.Sprint(data.Port()), "--udp-ports", "1")
	p.Says("waiting for agents", 1)
	captures := make(chan struct{}, 1)
	good, bad := from(t, "tcp", 1, control), from(t, "tcp", 2, control)
	defer good.Close()
	defer bad.Close()
	go actor(good, 0, ugly, captures)
	go actor(bad, rpcap.TypeOpenRequest, ugly, nil)
	<-captures
	p.Says("refused: ", 1)
	p.stop(stopLimit)
	text := p.Text()
	if r := unprintable(text); r >= 0 || !strings.Contains(text, "127.0.1.2/eth") || !strings.Contains(text, "127.0.1.3: nothing captured") {
		t.Errorf("%U in %q", r, text)
	}
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
}

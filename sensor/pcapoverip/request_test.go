package pcapoverip

import (
	"io"
	"net"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"rpcapd/sensor/sink"
)

func needTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("REQUIRE_ROOT") == "1" {
			t.Fatalf("%s is not installed (make deps installs it as root)", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func TestParseRequest(t *testing.T) {
	for line, want := range map[string]sink.Selection{
		"":                     {},
		" ; ;":                 {},
		"filter=tcp port 443":  {Filter: "tcp port 443"},
		"FILTER = tcp[2:2]=80": {Filter: "tcp[2:2]=80"},
		"agents=web*,10.0.0.0/8 db;rules=a b; filter=ip": {Agents: []string{"web*", "10.0.0.0/8", "db"}, Rules: []string{"a", "b"}, Filter: "ip"},
		"filter=-w /etc/passwd":                          {Filter: "-w /etc/passwd"}, // one argument behind --
	} {
		if got, err := parseRequest([]byte(line)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{
		"tcp port 443", "GET / HTTP/1.1", "filter=", "filter=a;filter=b", "agents=,", "agents=[", "agents=10.0.0.0/8x[", "x=1",
		"filter=a\x00b", "filter=\xff", "filter=a\x1b[2J", "filter=a\u202eb", "agents=\u009b31m", "rules=a\u2028b", strings.Repeat("x", maxRequest+1),
	} {
		if got, err := parseRequest([]byte(line)); err == nil {
			t.Errorf("%q: accepted: %+v", line, got)
		}
	}
}

func FuzzRequest(f *testing.F) {
	for _, s := range []string{"", "filter=tcp port 443; agents=web*", "rules=a,b;", "agents=10.0.0.0/8", "=", ";;=;"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		sel, err := parseRequest(line)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("an answer of %d bytes", len(err.Error()))
			}
			return
		}
		if len(sel.Filter)+len(strings.Join(sel.Agents, ""))+len(strings.Join(sel.Rules, "")) > len(line) {
			t.Errorf("%q became %+v", line, sel)
		}
		if strings.ContainsAny(sel.Filter, ";\n\x00") {
			t.Errorf("%q: filter %q", line, sel.Filter)
		}
		again, err := parseRequest([]byte(describeSelection(sel)))
		if err != nil || !reflect.DeepEqual(again, sel) {
			t.Errorf("%q: %+v, described as %q: %+v, %v", line, sel, describeSelection(sel), again, err)
		}
	})
}

// TestRequestAnswers looks at what clients get that ask for the impossible.
func TestRequestAnswers(t *testing.T) {
	needTool(t, "tcpdump")
	s := start(t, Options{begin: waitLimit})
	s.attach("web", "eth0", 1)
	for line, want := range map[string]string{
		"filter=tcp prt 443\n":                 "error: ",
		"filter=-w /tmp/x\n":                   "syntax error",
		"filter=$(reboot)\n":                   "error: ",
		"flter=tcp\n":                          "not understood",
		"GET / HTTP/1.1\r\n\r\n":               "not understood",
		strings.Repeat("x", 2*maxRequest):      "longer than 4096 bytes",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc": "uses TLS",
		"\x80\x00\n":                           "not text",
	} {
		c := dial(t, s.address())
		if _, err := io.WriteString(c, line); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(c)
		if err != nil || !strings.Contains(string(answer), want) || !strings.HasPrefix(string(answer), "error: ") || strings.Count(string(answer), "\n") != 1 {
			t.Errorf("%.40q: %q, %v; want %q", line, answer, err, want)
		}
	}
	s.streaming(0)
}

func TestRequestTooLate(t *testing.T) {
	s := start(t, Options{})
	s.attach("web", "eth0", 1)
	c := dial(t, s.address())
	s.streaming(1)
	if _, err := io.WriteString(c, " \r\n"); err != nil { // means nothing
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	s.streaming(1)
	if _, err := io.WriteString(c, "filter=tcp\n"); err != nil {
		t.Fatal(err)
	}
	s.streaming(0)
}

// TestSilentClient gets the beginning of its stream soon.
func TestSilentClient(t *testing.T) {
	s := start(t, Options{})
	s.attach("web", "eth0", 1)
	begin := time.Now()
	c := dial(t, s.address())
	if _, err := io.ReadFull(c, make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(begin); d < beginTimeout || d > waitLimit { // much later only on a very busy machine
		t.Errorf("a silent client waited for %v", d)
	}
}

// TestHalfClosed is what "printf request | nc -N" does.
func TestHalfClosed(t *testing.T) {
	s := start(t, Options{begin: waitLimit})
	f := s.attach("web", "eth0", 1)
	for _, line := range []string{"", "agents=web", "agents=web\n"} {
		c := dial(t, s.address())
		if _, err := io.WriteString(c, line); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		s.streaming(1)
		time.Sleep(10 * time.Millisecond)
		s.streaming(1) // still
		p := ethernet(1, 80, 60)
		f.Frame(p)
		ch := collect(c)
		eventually(t, "the frame was sent", func() bool { return s.reading(0).Written == 1 })
		_ = c.Close()
		<-ch
		eventually(t, "the client has gone", func() bool {
			f.Frame(p)
			return len(s.Status().Parts) == 0
		})
	}
}

package consumers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"rpcapd/test/harness"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rules alert on a datagram, on a request, and on the end of an answer that travels in large segments put together.
const rules = `alert udp any any -> any 9 (msg:"datagram"; content:"needle in a datagram"; sid:1000001; rev:1;)
alert http any any -> any any (msg:"request"; flow:established,to_server; http.uri; content:"/needle"; sid:1000002; rev:1;)
alert http any any -> any any (msg:"answer"; flow:established,to_client; file.data; content:"needle at the end"; sid:1000003; rev:1;)
`

// answerSize is below what Suricata looks into by default (100 KB).
const answerSize = 60_000

// inChroot runs Suricata with the test's folder at /mnt. The mounts are those of its own namespace. Without the size
// Suricata cuts frames at 9,216 bytes, whatever the MTU.
const inChroot = `set -e
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount --bind /dev "$1/dev"
mount --bind "$2" "$1/mnt"
exec chroot "$1" suricata -S /mnt/test.rules -l /mnt -i rpcap0 -k none --set default-packet-size=65549
`

// TestRootSuricata: Suricata 7 on the TAP interface alerts on traffic of another machine.
func TestRootSuricata(t *testing.T) {
	if !demanded() {
		t.Skip("needs a chroot with Suricata: make test-consumers, as root")
	}
	root := os.Getenv(preparedVariable)
	if why, bad := strings.CutPrefix(root, "error: "); bad {
		t.Fatalf("no chroot with Suricata: %s", why)
	}
	s := newStage(t, "")
	s.client.AddAddr("eth0", "10.1.0.1/24")
	s.host.AddAddr("eth0", "10.1.0.2/24")
	dir := t.TempDir()
	s.write(filepath.Join(dir, "test.rules"), rules)
	suricata := harness.StartIn(t, s.sensor, nil, "/bin/sh", "-c", inChroot, "sh", root, dir)
	suricata.Says("Engine started", 1)

	begin := time.Now()
	s.client.Must(func() error {
		c, err := net.Dial("udp", "10.1.0.2:9")
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Write([]byte("a needle in a datagram"))
		return err
	})
	s.browse()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("alerts: %v", alerts(t, dir))
		}
	})
	var took time.Duration
	suricata.Await("three alerts", func() bool {
		took = time.Since(begin)
		return len(alerts(t, dir)) >= 3
	})
	got := alerts(t, dir)
	for _, want := range []string{"datagram 10.1.0.1 10.1.0.2", "request 10.1.0.1 10.1.0.2", "answer 10.1.0.2 10.1.0.1"} {
		if got[want] == 0 {
			t.Errorf("no alert %q in %v", want, got)
		}
	}
	t.Logf("%d kinds of alerts within %v: %v", len(got), took.Round(time.Millisecond), got)
	suricata.Stop(syscall.SIGINT, harness.Patience)
	if n := stat(t, dir, "kernel_drops"); n != 0 {
		t.Errorf("Suricata lost %v frames", n)
	}
	if n := stat(t, dir, "kernel_packets"); n < 10 {
		t.Errorf("Suricata saw %v frames", n)
	}
}

// browse has the client fetch a page from the host.
func (s *stage) browse() {
	s.t.Helper()
	var l net.Listener
	s.host.Must(func() (err error) { l, err = net.Listen("tcp", "10.1.0.2:80"); return err })
	defer l.Close()
	served := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			served <- err
			return
		}
		defer c.Close()
		if _, err := c.Read(make([]byte, 4096)); err != nil {
			served <- err
			return
		}
		body := bytes.Repeat([]byte("0123456789abcde\n"), answerSize/16)
		_, err = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%sneedle at the end\n",
			len(body)+18, body)
		served <- err
	}()
	s.client.Must(func() error {
		c, err := net.Dial("tcp", "10.1.0.2:80")
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /needle HTTP/1.1\r\nHost: test.example\r\nUser-Agent: test\r\n\r\n"); err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, c)
		if err == nil && n < answerSize {
			err = fmt.Errorf("only %d bytes", n)
		}
		return errors.Join(err, <-served)
	})
}

// alerts counts the alerts in Suricata's log: message, source, destination.
func alerts(t *testing.T, dir string) map[string]int {
	t.Helper()
	all := make(map[string]int)
	events(t, dir, func(line []byte) {
		var e struct {
			Type  string `json:"event_type"`
			From  string `json:"src_ip"`
			To    string `json:"dest_ip"`
			Alert struct {
				Signature string
			}
		}
		if json.Unmarshal(line, &e) == nil && e.Type == "alert" {
			all[e.Alert.Signature+" "+e.From+" "+e.To]++
		}
	})
	return all
}

// stat is a number of the last statistics that Suricata wrote.
func stat(t *testing.T, dir, name string) (n float64) {
	t.Helper()
	events(t, dir, func(line []byte) {
		var e struct {
			Stats struct{ Capture map[string]any }
		}
		if json.Unmarshal(line, &e) == nil && e.Stats.Capture != nil {
			n, _ = e.Stats.Capture[name].(float64)
		}
	})
	return n
}

// events goes through the lines of Suricata's log.
func events(t *testing.T, dir string, each func(line []byte)) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "eve.json"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		each(line)
	}
}

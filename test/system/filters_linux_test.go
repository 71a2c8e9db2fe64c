package system

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// filterExpressions are tried everywhere, and mean what tcpdump means by them live on the interface. Where libpcap 1.10.3
// contradicts its own manual, pcap-filter(7), documented is what that says: "the first vlan keyword encountered in an
// expression changes the decoding offsets for the remainder of the expression".
var filterExpressions = []struct {
	text       string
	documented func(*filterFrame) bool
}{
	{text: "vlan"},
	{text: "not vlan"},
	{text: "vlan 5"},
	{text: "vlan 6"},
	{text: "not vlan 5"},
	{text: "vlan 0"},
	{text: "vlan and ip"},
	{text: "vlan and ip6"},
	{text: "vlan and arp"},
	{text: "vlan 5 and tcp port 443"},
	{text: "vlan 5 and udp"},
	{text: "vlan and vlan"},
	{text: "vlan and vlan 6"},
	{text: "vlan 5 and vlan 6"},
	{text: "vlan and vlan and ip"},
	{text: "vlan and vlan and vlan"},
	{text: "vlan 5 or vlan 6"},
	{text: "(vlan 5) or (vlan 6)"},
	{text: "vlan or ip"},
	{text: "ip or vlan"},
	{text: "ip and vlan"},
	// Live the offsets move for frames that have met "ip" before, or whose tag is beside them: ARP passes.
	{text: "ip or (vlan and ip)", documented: func(f *filterFrame) bool {
		_, single := f.tag()
		return (single || f.tags == "untagged") && f.is("tcp", "udp", "icmp", "long udp", "geneve", "vlan 5 in geneve")
	}},
	// Likewise: TCP over IPv6 does not pass, and that behind two tags does.
	{text: "(ip or vlan) and tcp", documented: func(f *filterFrame) bool {
		_, single := f.tag()
		return single && f.is("tcp", "tcp6")
	}},
	{text: "not (vlan and tcp)"},
	{text: "not vlan and ip"},
	{text: "ip and not vlan"},
	{text: "udp port 5000"},
	{text: "ip"},
	{text: "ip6"},
	{text: "arp"},
	{text: "not ip"},
	{text: "host 10.9.0.1"},
	{text: "vlan and host 10.9.0.1"},
	{text: "ether proto 0x8100"},
	{text: "ether[12:2] = 0x8100"},
	{text: "vlan and ether[12:2] = 0x0800"},
	{text: "len > 100"},
	{text: "len <= 64"},
	{text: "vlan and len <= 64"},
	{text: "vlan (5)"},
	{text: "!(vlan(0x5)&&ip)"},
	{text: "vlan 5 and not vlan 6"},
	{text: "vlan 5 and (ip or vlan 6)"},
	{text: "mpls"},
	{text: "vlan and mpls"},
	{text: "pppoes and ip"},
	// Live the offset behind a tag is kept in a word of memory that is forgotten with PPPoE and Geneve, which have their
	// own; the kernel refuses the program ("Kernel filter failed"), and tcpdump lets nothing pass.
	{text: "vlan 5 and pppoes and ip", documented: func(f *filterFrame) bool {
		vlan, single := f.tag()
		return single && vlan == 5 && f.is("pppoes")
	}},
	{text: "geneve"},
	{text: "geneve and vlan 5"},
	{text: "geneve and not vlan"},
	{text: "vlan 5 and geneve", documented: func(f *filterFrame) bool {
		vlan, single := f.tag()
		return single && vlan == 5 && f.is("geneve", "vlan 5 in geneve")
	}},
	{text: "vlan 5 and geneve and vlan 5", documented: func(f *filterFrame) bool {
		vlan, single := f.tag()
		return single && vlan == 5 && f.is("vlan 5 in geneve")
	}},
	{text: "icmp or vlan 5 and udp"},
}

// TestRootFilters compares what filters let pass: tcpdump's, live on the interface, with rules (which run at the agent, in the
// kernel), outputs, clients of [pcap-over-ip] and rules for an agent that reads a file.
func TestRootFilters(t *testing.T) {
	t.Parallel()
	frames := filterFrames()
	s := newStage(t)
	dir := t.TempDir()
	file := func(kind string, n int) string { return filepath.Join(dir, fmt.Sprintf("%s-%d.pcapng", kind, n)) }

	sen := startSensor(t, s.sensor, "-f", filterIni(t, file))
	a := startAgent(t, s.host, filterLines(true), "-z", "2M")
	dumps := make([]*harness.Running, len(filterExpressions))
	for n, e := range filterExpressions {
		dumps[n] = startFilteredDump(t, s.host, file("live", n), e.text)
	}
	whole := startTCPDump(t, s.host, "eth0")
	clients := make([]net.Conn, len(filterExpressions))
	must(t, s.sensor.Do(func() (err error) {
		for n, e := range filterExpressions {
			if clients[n], err = filterClient(sen, "filter="+e.text+"; rules=all"); err != nil {
				return err
			}
		}
		return nil
	}))
	a.capturing(1 + len(filterExpressions))
	for _, d := range dumps {
		d.Says(dumpReady(), 1)
	}

	raw := make([][]byte, len(frames))
	for n := range frames {
		raw[n] = frames[n].data
	}
	sent := 0
	for batch := range slices.Chunk(raw, 10) { // fifty rings of four blocks fill at once, a block each time
		must(t, sendRaw(s.client, "eth0", batch...))
		sent += len(batch)
		sen.Await("a batch from the agent", func() bool { return len(readFilterSet(t, sen.file, "/eth0")) >= sent })
		time.Sleep(100 * time.Millisecond)
	}
	s.mark(t, markEnd)
	whole.frames()
	time.Sleep(300 * time.Millisecond) // no agent holds a frame longer than about 20 ms
	for n, d := range dumps {
		if filterExpressions[n].documented == nil { // else its own filter may refuse what the kernel has let pass
			caughtUp(d)
		}
		d.Stop(syscall.SIGINT, patience)
		if m := dumpedPattern.FindStringSubmatch(d.Text()); m != nil && m[1] != m[2] && filterExpressions[n].documented == nil {
			t.Fatalf("%s: tcpdump itself has not seen everything: %s", filterExpressions[n].text, d.Text())
		}
	}
	a.Stop(stopSignal, stopLimit)
	replay := startAgent(t, s.host, filterLines(false), "-r", whole.file)
	replay.capturing(len(filterExpressions))
	if code := replay.Exits(patience); code != 0 { // when all is sent
		t.Errorf("the agent that has read a file: exit code %d", code)
	}
	sen.end()
	for n, c := range clients {
		must(t, c.SetReadDeadline(time.Now().Add(patience)))
		b, err := io.ReadAll(c)
		must(t, err)
		must(t, os.WriteFile(file("client", n), b, 0o600))
		c.Close()
	}

	for n, e := range filterExpressions {
		live := readFilterSet(t, file("live", n), "")
		want := live
		if e.documented != nil {
			want = make(filterSet)
			for k := range frames {
				want[k] = e.documented(&frames[k])
			}
			if reflect.DeepEqual(want.of(frames), live.of(frames)) {
				t.Errorf("%q: tcpdump does as documented; the note is out of date", e.text)
			}
		}
		got := map[string]filterSet{
			"rule":   readFilterSet(t, file("rule", n), "/eth0"),
			"file":   readFilterSet(t, file("rule", n), "/"+filepath.Base(whole.file)),
			"client": readFilterSet(t, file("client", n), "/eth0"),
		}
		if hasOutput(n) {
			got["output"] = readFilterSet(t, file("output", n), "/eth0")
		}
		for kind, set := range got {
			for k, f := range frames {
				if set[k] != want[k] {
					t.Errorf("%q, %s, %s behind %s: passes %v, want %v", e.text, kind, f.kind, f.tags, set[k], want[k])
				}
			}
		}
	}
}

// filterClient connects a client of [pcap-over-ip], and waits until its filter is in force. It tries again when a busy machine
// made its request late: a client that is silent at first gets everything.
func filterClient(sen *sensor, request string) (net.Conn, error) {
	for {
		c, err := net.Dial("tcp", "127.0.0.1:57012")
		if err != nil {
			return nil, err
		}
		if _, err := fmt.Fprintln(c, request); err != nil {
			return nil, err
		}
		late := false
		sen.Await("client of "+request, func() bool {
			for line := range strings.Lines(sen.Text()) {
				if strings.Contains(line, `"`+c.LocalAddr().String()+`"`) {
					late = strings.Contains(line, `"everything"`) || strings.Contains(line, "client disconnected")
					return true
				}
			}
			return false
		})
		if !late {
			return c, nil
		}
		c.Close()
	}
}

// hasOutput leaves out some outputs: each costs seven runs of tcpdump, and they do as the clients do.
func hasOutput(n int) bool { return n%4 == 0 }

// filterIni has a rule for each expression, with a file for each, and one rule without a filter whose frames go through
// outputs and clients.
func filterIni(t *testing.T, file func(string, int) string) string {
	var b strings.Builder
	b.WriteString("[data]\nPorts = 64\n[rule all]\nPort = 3000\n[pcap-over-ip]\n")
	for n, e := range filterExpressions {
		fmt.Fprintf(&b, "[rule r%d]\nPort = %d\nFilter = %s\n", n, 3001+n, e.text)
		fmt.Fprintf(&b, "[file r%d]\nPath = %s\nRules = r%d\n", n, file("rule", n), n)
		if hasOutput(n) {
			fmt.Fprintf(&b, "[file o%d]\nPath = %s\nRules = all\nFilter = %s\n", n, file("output", n), e.text)
		}
	}
	return ruleFile(t, b.String())
}

// filterLines has the agent dial every rule; one that reads a file those with a filter.
func filterLines(live bool) string {
	var b strings.Builder
	first, options := 1, ""
	if live {
		first, options = 0, ", ifname=eth0"
	}
	for n := first; n <= len(filterExpressions); n++ {
		fmt.Fprintf(&b, "ActiveClient = %s, %d%s\n", sensorV4, 3000+n, options)
	}
	return b.String()
}

// startFilteredDump captures what passes an expression; see startTCPDump.
func startFilteredDump(t *testing.T, n *netlab.Namespace, file, expression string) *harness.Running {
	t.Helper()
	if severalUsers(t) {
		return harness.StartIn(t, n, nil, harness.Tool(t, "tcpdump"), "-i", "eth0", "-n", "-s", "1500", "-U", "--immediate-mode",
			"-Z", "root", "-w", file, "--", expression)
	}
	return harness.StartIn(t, n, nil, harness.Tool(t, "dumpcap"), "-q", "-i", "eth0", "-P", "-w", file, "-f", expression)
}

// caughtUp waits until tcpdump has written what the kernel has for it: on its end it leaves the rest. dumpcap does not say.
func caughtUp(d *harness.Running) {
	d.T.Helper()
	if !manyUsers() {
		return
	}
	d.Await("all frames in tcpdump's file", func() bool {
		said := len(progressPattern.FindAllString(d.Text(), -1))
		d.Signal(syscall.SIGUSR1)
		var m [][]string
		d.Await("its numbers", func() bool { m = progressPattern.FindAllStringSubmatch(d.Text(), -1); return len(m) > said })
		return m[len(m)-1][1] == m[len(m)-1][2]
	})
}

// progressPattern finds the same as dumpedPattern in what tcpdump says when it is asked.
var progressPattern = regexp.MustCompile(`(\d+) packets? captured, (\d+) packets? received by filter`)

// dumpReady is what startFilteredDump's program says when it captures.
func dumpReady() string {
	if manyUsers() {
		return "listening on"
	}
	return "File: "
}

// dumpedPattern finds what tcpdump has written, and what the kernel has for it.
var dumpedPattern = regexp.MustCompile(`(\d+) packets captured\n(\d+) packets received by filter`)

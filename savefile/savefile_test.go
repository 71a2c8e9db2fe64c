package savefile

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/udpstr"
)

var (
	begin = time.Unix(1_700_000_000, 123_456_000).UTC()
	eth0  = Interface{Name: "web/eth0", Description: "uplink", Filter: "tcp port 443", Comment: "agent 10.0.0.2", LinkType: 1}
	tun0  = Interface{Name: "web/tun0", LinkType: 101}
)

func frame(n int, sec, usec uint32) *udpstr.Packet {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return &udpstr.Packet{Frame: udpstr.Frame{Data: b, Len: uint32(n), Sec: sec, Usec: usec}, Number: 1}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden: the bytes, worked out by hand from the drafts.
func TestGolden(t *testing.T) {
	p := frame(5, 0x65530000, 0x10)
	p.Len = 1500
	for name, tc := range map[string]struct {
		got  []byte
		want string
	}{
		"interface": {AppendInterface(nil, Interface{Name: "a/b", Filter: "ip", LinkType: 113}), `
			01000000 30000000  7100 0000 00000400
			0200 0300 612f6200   0900 0100 06000000   0b00 0300 00697000   0000 0000  30000000`},
		"packet": {AppendPacket(nil, 7, p), `
			06000000 28000000 07000000  150a0600 1000c0ba  05000000 dc050000  0001020304 000000  28000000`},
		"statistics": {AppendStatistics(nil, 2, Statistics{Start: time.UnixMicro(1), End: time.UnixMicro(1 << 32), Delivered: 9}), `
			05000000 40000000 02000000 01000000 00000000
			0200 0800 00000000 01000000  0300 0800 01000000 00000000  0800 0800 0900000000000000  0000 0000  40000000`},
		"pcap header": {AppendPcapHeader(nil, 113), `d4c3b2a1 0200 0400 00000000 00000000 00000400 71000000`},
		"pcap record": {AppendPcapRecord(nil, p), `00005365 10000000 05000000 dc050000 0001020304`},
	} {
		if w := unhex(t, tc.want); !bytes.Equal(tc.got, w) {
			t.Errorf("%s:\n got %x\nwant %x", name, tc.got, w)
		}
	}
}

// whole is a file with two interfaces and frames of every padding.
func whole() (file []byte, frames []*udpstr.Packet) {
	file = AppendSectionHeader(nil, "rpcap-sensor")
	file = AppendInterface(file, eth0)
	file = AppendInterface(file, tun0)
	for i, n := range []int{0, 1, 2, 3, 4, 60, 61, 1514, 65549, MaxFrame} {
		p := frame(n, uint32(begin.Unix()), uint32(i))
		file = AppendPacket(file, uint32(i%2), p)
		frames = append(frames, p)
	}
	s := Statistics{Start: begin, End: begin.Add(time.Second), Known: true, Received: 12, KernelDropped: 2, InterfaceDropped: 1, Delivered: 5}
	file = AppendStatistics(file, 0, s)
	return AppendStatistics(file, 1, Statistics{Start: begin, End: begin, Delivered: 5}), frames
}

func TestReadBack(t *testing.T) {
	file, frames := whole()
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.NgReaderOptions{WantMixedLinkType: true})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range frames {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		at := time.Unix(int64(p.Sec), int64(p.Usec)*1000)
		if !bytes.Equal(data, p.Data) || info.Length != len(p.Data) || info.InterfaceIndex != i%2 || !info.Timestamp.Equal(at) {
			t.Errorf("frame %d: %+v", i, info)
		}
	}
	if _, _, err := r.ReadPacketData(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
	i, err := r.Interface(0)
	if err != nil {
		t.Fatal(err)
	}
	if i.Name != eth0.Name || i.Filter != eth0.Filter || i.Description != eth0.Description || i.Comment != eth0.Comment ||
		i.SnapLength != Snaplen || i.TimestampResolution != 6 || i.LinkType != 1 {
		t.Errorf("interface 0: %+v", i)
	}
	if s := i.Statistics; s.PacketsReceived != 12 || s.PacketsDropped != 1 || !s.StartTime.Equal(begin) {
		t.Errorf("statistics 0: %+v", s)
	}
	if s := r.SectionInfo(); s.Application != "rpcap-sensor" || s.OS != runtime.GOOS {
		t.Errorf("section: %+v", s)
	}
}

func TestReadBackPcap(t *testing.T) {
	_, frames := whole()
	file := AppendPcapHeader(nil, 101)
	for _, p := range frames {
		before := len(file)
		if file = AppendPcapRecord(file, p); len(file)-before != PcapRecordSize(len(p.Data)) {
			t.Errorf("a record of %d bytes, said to be %d", len(file)-before, PcapRecordSize(len(p.Data)))
		}
	}
	r, err := pcapgo.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != 101 || r.Snaplen() != Snaplen {
		t.Errorf("link type %v, snap length %d", r.LinkType(), r.Snaplen())
	}
	for i, p := range frames {
		data, info, err := r.ReadPacketData()
		if err != nil || !bytes.Equal(data, p.Data) || info.Timestamp.UnixMicro() != int64(p.Sec)*1e6+int64(p.Usec) {
			t.Fatalf("frame %d: %+v, %v", i, info, err)
		}
	}
}

// TestNonsense: what contradicts itself is written so that readers go on.
func TestNonsense(t *testing.T) {
	long := frame(MaxFrame+9, 1, 2_500_000)
	long.Len = 1
	for _, b := range [][]byte{
		AppendPacket(nil, 0, long)[20:28], AppendPcapRecord(nil, long)[8:16],
	} {
		if want := []byte{0, 0, 4, 0, 0, 0, 4, 0}; !bytes.Equal(b, want) {
			t.Errorf("caplen and len are %x", b)
		}
	}
	if n := len(AppendPacket(nil, 0, long)); n != PacketSize(len(long.Data)) {
		t.Errorf("%d bytes, said to be %d", n, PacketSize(len(long.Data)))
	}
	if b := AppendPcapRecord(nil, long)[:8]; !bytes.Equal(b, []byte{3, 0, 0, 0, 0x20, 0xa1, 7, 0}) {
		t.Errorf("time %x of 1 s and 2,500,000 µs", b)
	}
	text := strings.Repeat("ü", MaxText)
	b := AppendInterface(nil, Interface{Name: "x" + text, Filter: text, LinkType: 1})
	if len(b) > 2*MaxText+64 || len(b)%4 != 0 {
		t.Errorf("a block of %d bytes", len(b))
	}
	if got := cut("x" + text); !strings.HasPrefix("x"+text, got) || len(got) != MaxText-1 {
		t.Errorf("cut to %d bytes", len(got))
	}
	if b := AppendStatistics(nil, 0, Statistics{Start: time.Unix(-5, 0)}); !bytes.Equal(b[12:20], make([]byte, 8)) {
		t.Errorf("zero time: %x", b)
	}
	if n := len(AppendStatistics(nil, 0, Statistics{Known: true})); n != StatisticsSize {
		t.Errorf("statistics of %d bytes, said to be at most %d", n, StatisticsSize)
	}
}

func TestNoAllocation(t *testing.T) {
	buf, p := make([]byte, 0, 4<<10), frame(1514, 1, 1)
	for name, f := range map[string]func(){
		"packet":     func() { AppendPacket(buf, 3, p) },
		"record":     func() { AppendPcapRecord(buf, p) },
		"interface":  func() { AppendInterface(buf, eth0) },
		"statistics": func() { AppendStatistics(buf, 0, Statistics{Start: begin, End: begin, Known: true}) },
		"header":     func() { AppendPcapHeader(AppendSectionHeader(buf, "x"), 1) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestReaders: tcpdump, tshark and capinfos read files to their end.
func TestReaders(t *testing.T) {
	file, frames := whole()
	small := AppendInterface(AppendSectionHeader(nil, "rpcap-sensor"), eth0) // tcpdump takes one link type
	classic := AppendPcapHeader(nil, 1)
	for _, p := range frames[4:] {
		small = AppendPacket(small, 0, p)
		classic = AppendPcapRecord(classic, p)
	}
	small = AppendStatistics(small, 0, Statistics{Start: begin, End: begin, Known: true, Received: 6, Delivered: 6})
	for _, tc := range []struct {
		name    string
		file    []byte
		want    int
		command []string
	}{
		{"pcapng", small, 6, []string{"tcpdump", "-n", "-t", "-q", "-r", "-"}},
		{"pcap", classic, 6, []string{"tcpdump", "-n", "-t", "-q", "-r", "-"}},
		{"two link types", file, 10, []string{"tshark", "-n", "-r", "-", "-T", "fields", "-e", "frame.interface_name"}},
		{"pcap", classic, 6, []string{"tshark", "-n", "-r", "-", "-T", "fields", "-e", "frame.number"}},
	} {
		path, err := exec.LookPath(tc.command[0])
		if err != nil {
			t.Logf("%s is not installed", tc.command[0])
			continue
		}
		cmd := exec.Command(path, tc.command[1:]...)
		cmd.Stdin = bytes.NewReader(tc.file)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		text, err := cmd.Output()
		lines := 0
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "\t") {
				lines++
			}
		}
		if err != nil || lines != tc.want {
			t.Errorf("%s, %s: %d lines of %d, %v: %s", tc.name, tc.command[0], lines, tc.want, err, stderr.String())
		}
	}
}

func BenchmarkAppendPacket(b *testing.B) {
	buf, p := make([]byte, 0, 2<<10), frame(1514, 1, 1)
	b.SetBytes(1514)
	b.ReportAllocs()
	for b.Loop() {
		AppendPacket(buf, 3, p)
	}
}

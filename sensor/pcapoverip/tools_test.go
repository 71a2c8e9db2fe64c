package pcapoverip

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"rpcapd/savefile"
	"rpcapd/sensor/sink"
)

// toolTimeout bounds a foreign program.
const toolTimeout = 2 * waitLimit

// program is a foreign program at work.
type program struct {
	*exec.Cmd
	out bytes.Buffer // of both; to be read after wait
}

func launch(t *testing.T, stdin io.Reader, name string, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), toolTimeout)
	t.Cleanup(cancel)
	p := &program{Cmd: exec.CommandContext(ctx, needTool(t, name), args...)}
	p.Stdin, p.Stdout, p.Stderr = stdin, &p.out, &p.out
	p.WaitDelay = time.Second
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// wait waits until the program ends, and returns what it has said.
func (p *program) wait(t *testing.T) string {
	t.Helper()
	if err := p.Wait(); err != nil {
		t.Fatalf("%s: %v: %s", p.Path, err, p.out.String())
	}
	return p.out.String()
}

// TestLiveReaders has tshark and dumpcap read live: interfaces that come later, two link types, frames of every size.
func TestLiveReaders(t *testing.T) {
	for _, name := range []string{"tshark", "dumpcap"} {
		t.Run(name, func(t *testing.T) {
			needTool(t, name)
			const frames = 300
			s := start(t, Options{})
			feeds := []sink.Feed{s.attach("web", "eth0", 1), s.attach("web", "tun0", 12)}
			names, types := []string{"web/eth0", "web/tun0", "late/eth0"}, []uint32{1, 101, 1}
			file := filepath.Join(t.TempDir(), "live.pcapng")
			p := launch(t, nil, name, "-i", "TCP@"+s.address(), "-w", file, "-c", strconv.Itoa(frames))
			s.streaming(1)
			var want []record
			for i := range uint32(frames) {
				if i == 100 {
					feeds = append(feeds, s.attach("late", "eth0", 1))
				}
				k := int(i) % len(feeds)
				f := ethernet(i, 443, 46+int(i*i)%9000)
				if types[k] == 101 {
					f.Data = f.Data[14:]
				}
				feeds[k].Frame(f)
				want = append(want, recordOf(names[k], types[k], f))
			}
			p.wait(t)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := readNg(bytes.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, name, got, want)
			s.streaming(0)
		})
	}
}

// TestTsharkToTheEnd reads until the sensor stops, statistics included, and shows what it understands.
func TestTsharkToTheEnd(t *testing.T) {
	needTool(t, "tshark")
	s := start(t, Options{})
	f := s.attach("web", "eth0", 1)
	p := launch(t, nil, "tshark", "-l", "-n", "-i", "TCP@"+s.address(), "-T", "fields", "-e", "frame.interface_name", "-e", "udp.dstport", "-e", "frame.len")
	s.streaming(1)
	for i := range uint32(20) {
		f.Frame(ethernet(i*3, 5000+uint16(i), 100)) // a number that 3 divides: len is caplen
	}
	s.stop()
	text := p.wait(t)
	for i := range 20 {
		if want := "web/eth0\t" + strconv.Itoa(5000+i) + "\t100\n"; !strings.Contains(text, want) {
			t.Fatalf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "Error") || strings.Contains(text, "rror occurred") {
		t.Errorf("tshark complains: %s", text)
	}
}

// TestTcpdumpReadsClassic gives tcpdump the classic stream on its standard input.
func TestTcpdumpReadsClassic(t *testing.T) {
	needTool(t, "tcpdump")
	s := start(t, Options{Format: savefile.Pcap})
	f := s.attach("web", "eth0", 1)
	conn, err := dial(t, s.address()).(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	file := filepath.Join(t.TempDir(), "again.pcap")
	args := []string{"-n", "-r", "-", "-w", file}
	if os.Getuid() == 0 {
		args = append(args, "-Z", "root")
	}
	p := launch(t, conn, "tcpdump", args...)
	s.streaming(1)
	want := savefile.AppendPcapHeader(nil, 1)
	for i := range uint32(500) {
		q := ethernet(i, 80, 60+int(i))
		f.Frame(q)
		want = savefile.AppendPcapRecord(want, q)
	}
	s.stop()
	text := p.wait(t)
	got, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got[savefile.PcapHeaderSize:], want[savefile.PcapHeaderSize:]) {
		t.Errorf("tcpdump got %d bytes of %d, %v: %s", len(got), len(want), err, text)
	}
}

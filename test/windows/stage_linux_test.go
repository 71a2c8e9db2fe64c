package windows

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/gopacket/pcapgo"

	"rpcapd/test/harness"
	"rpcapd/test/netlab"
)

// Addresses of the stage.
const (
	clientV4 = "10.1.0.1"
	hostV4   = "10.1.0.2"
	exportV4 = "10.2.0.2"
	sensorV4 = "10.2.0.3"
)

// stage is three hosts: a client, whose frames the agent on the second one captures and forwards to the third.
type stage struct {
	t                    *testing.T
	lab                  *netlab.Lab
	client, host, sensor *netlab.Namespace
}

func newStage(t *testing.T) *stage {
	t.Helper()
	system(t) // skips before anything is made
	lab := netlab.New(t)
	s := &stage{t: t, lab: lab, client: lab.Namespace("client"), host: lab.Namespace("host"), sensor: lab.Namespace("sensor")}
	for _, n := range []*netlab.Namespace{s.client, s.host, s.sensor} {
		n.Sysctl("ipv6/conf/default/disable_ipv6", "1") // else the kernel sends what no test asked for
	}
	s.connectClient()
	lab.Veth(s.host, "eth1", s.sensor, "eth0")
	s.host.AddAddr("eth1", exportV4+"/24")
	s.sensor.AddAddr("eth0", sensorV4+"/24")
	return s
}

// connectClient lays the link between client and host.
func (s *stage) connectClient() {
	s.t.Helper()
	s.lab.Veth(s.client, "eth0", s.host, "eth0")
	s.client.AddAddr("eth0", clientV4+"/24")
	s.host.AddAddr("eth0", hostV4+"/24")
}

// etherTest is the EtherType for local experiments.
const etherTest = 0x88b5

// numbered makes frames of the client to the host: of all usual sizes, and each with another content.
func (s *stage) numbered(first, count int) [][]byte {
	frames := make([][]byte, count)
	head := append(append([]byte{}, s.host.MAC("eth0")...), s.client.MAC("eth0")...)
	for i := range frames {
		number := first + i
		f := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(head[:12:12], etherTest), uint32(number))
		for size := 60 + number*31%1455; len(f) < size; {
			f = append(f, byte(number*7+len(f)*13+len(f)>>8))
		}
		frames[i] = f
	}
	return frames
}

// send sends frames from the client, at a rate that wine's driver follows on a busy machine.
func (s *stage) send(frames [][]byte) {
	s.t.Helper()
	const burst, pause = 20, 10 * time.Millisecond
	index := s.client.Link("eth0").Attrs().Index
	for len(frames) > 0 {
		n := min(burst, len(frames))
		s.client.Must(func() error { return netlab.SendRaw(index, frames[:n]...) })
		frames = frames[n:]
		time.Sleep(pause)
	}
}

// arrived reads the frames of the test in a pcapng file; one that is being written ends where its last whole block does.
func arrived(t *testing.T, content []byte) (all [][]byte) {
	t.Helper()
	if len(content) == 0 {
		return nil
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(content), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return all
		case err != nil:
			t.Fatal(err)
		case binary.BigEndian.Uint16(data[12:]) == etherTest:
			all = append(all, data)
		}
	}
}

// sameFrames fails the test unless both are the same, in order and byte for byte.
func sameFrames(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s: frame %d:\n%x, want\n%x", what, i, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d frames, want %d", what, len(got), len(want))
	}
}

// content is what a file holds so far.
func content(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}

// linuxSensor is rpcap-sensor on the third host.
type linuxSensor struct {
	*harness.Running
	ini, file string
}

func (s *stage) startSensor(ini string) *linuxSensor {
	s.t.Helper()
	dir := s.t.TempDir()
	sen := &linuxSensor{ini: filepath.Join(dir, "rpcap-sensor.ini"), file: filepath.Join(dir, "frames.pcapng")}
	sen.write(ini)
	sen.Running = harness.StartIn(s.t, s.sensor, nil, harness.Program(s.t, "rpcap-sensor"), "-f", sen.ini, "-w", sen.file)
	sen.Says("waiting for agents", 1)
	return sen
}

func (sen *linuxSensor) write(ini string) {
	if err := os.WriteFile(sen.ini, []byte(ini), 0o644); err != nil {
		panic(err) // the folder was made a moment ago
	}
}

// has waits until n frames of the test have arrived, and returns them.
func (sen *linuxSensor) has(n int) (frames [][]byte) {
	sen.T.Helper()
	sen.Await("frames", func() bool {
		frames = arrived(sen.T, content(sen.T, sen.file))
		time.Sleep(100 * time.Millisecond) // reading the file over and over takes the processor from the others
		return len(frames) >= n
	})
	return frames
}

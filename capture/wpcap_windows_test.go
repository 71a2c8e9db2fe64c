package capture

import (
	"debug/pe"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"rpcapd/filter"
	"rpcapd/iface"
	"rpcapd/rpcap"
)

// systemFile is a copy of a library of the system under another name.
func systemFile(t *testing.T, name, as string) string {
	t.Helper()
	system, err := windows.GetSystemDirectory()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(system, name))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), as)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each fault of a library has its own text.
func TestLoadLibraryRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "wpcap.dll")
	if err := os.WriteFile(empty, []byte("no library"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := systemFile(t, "version.dll", "other.dll")
	wrong := systemFile(t, "version.dll", "wrong.dll")
	b, err := os.ReadFile(wrong)
	if err != nil {
		t.Fatal(err)
	}
	head := binary.LittleEndian.Uint32(b[0x3c:])
	binary.LittleEndian.PutUint16(b[head+4:], pe.IMAGE_FILE_MACHINE_ARMNT)
	if err := os.WriteFile(wrong, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(t.TempDir(), "absent.dll"), "is not there"},
		{empty, "damaged, or made for another processor"},
		{wrong, "damaged, or made for another processor"},
		{other, "it lacks pcap_activate, pcap_close,"},
	} {
		if lib, err := loadLibrary(c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want %q", filepath.Base(c.path), lib, err, c.want)
		}
	}
}

// The driver of this system, if there is one: it is found, shows interfaces, and captures on each that it opens.
func TestDriverOfThisSystem(t *testing.T) {
	text, err := Driver()
	if none := (*NoDriverError)(nil); errors.As(err, &none) {
		t.Skip(err)
	}
	if err != nil || text == "" {
		t.Fatal(text, err)
	}
	t.Log(text)
	list, err := iface.List()
	if err != nil {
		t.Fatal(err)
	}
	loopback := ""
	for i := range list {
		if link, err := LinkType(list[i].Name); err == nil && link == LinkTypeEthernet && list[i].Flags.Has(iface.Loopback) {
			loopback = list[i].Name
		}
	}
	if loopback == "" {
		t.Skip("the driver captures no loopback interface")
	}
	all := rpcap.Program{{Op: 0x06, K: 1 << 18}}
	p, err := filter.Compose(LinkTypeEthernet, filter.Exclusion{}, all, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Interface: loopback, Snaplen: 60, Filter: p})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	frames, err := s.Next(time.Now().Add(10 * time.Second))
	if err != nil || len(frames[0].Data) > 60 || frames[0].Sec == 0 {
		t.Errorf("%v, %v", frames, err)
	}
	if err := s.SetFilter(p); err != nil {
		t.Error(err)
	}
	if st, err := s.Stats(); err != nil || st.Delivered == 0 {
		t.Errorf("%+v, %v", st, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := LinkType(`\Device\NPF_{nothing}`); !errors.Is(err, ErrNoInterface) {
		t.Error(err)
	}
}

// A wait ends with its time, its event, or a wake from before; after close nothing happens.
func TestSystemPause(t *testing.T) {
	p, err := newPause()
	if err != nil {
		t.Fatal(err)
	}
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer windows.CloseHandle(event)
	wait := func(what string, e windows.Handle, d, least, most time.Duration) {
		t.Helper()
		began := time.Now()
		if err := p.wait(uintptr(e), d); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < least || took > most {
			t.Errorf("%s: %v", what, took)
		}
	}
	const long = 30 * time.Second
	wait("time", 0, 20*time.Millisecond, 15*time.Millisecond, 5*time.Second)
	wait("time, with an event", event, 20*time.Millisecond, 15*time.Millisecond, 5*time.Second)
	p.wake()
	wait("wake before", 0, long, 0, long/2)
	windows.SetEvent(event)
	wait("event", event, long, 0, long/2)
	time.AfterFunc(10*time.Millisecond, p.wake)
	wait("wake", event, long, 0, long/2)
	p.close()
	p.close()
	p.wake()
}

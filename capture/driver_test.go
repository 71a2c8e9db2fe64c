package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
)

func TestDriverVersion(t *testing.T) {
	for text, want := range map[string]driverVersion{
		"Npcap version 1.79, based on libpcap version 1.10.4":                                                             {driverNpcap, "Npcap 1.79"},
		"WinPcap version 4.1.3 (packet.dll version 4.1.0.2980), based on libpcap version 1.0 branch 1_0_rel0b (20091008)": {driverWinPcap, "WinPcap 4.1.3"},
		"libpcap version 1.10.5 (with TPACKET_V3)":                                                                        {driverOther, "libpcap 1.10.5"},
		"":           {driverOther, "driver of unknown version"},
		" \n":        {driverOther, "driver of unknown version"},
		"NpcapOther": {driverOther, "NpcapOther"},
	} {
		got := parseDriverVersion(text)
		if got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
		if got.hasEvents() != (want.kind != driverOther) {
			t.Errorf("%q: events", text)
		}
	}
}

func TestChooseDevice(t *testing.T) {
	const a, b = `\Device\NPF_{A}`, `\Device\NPF_{b}`
	list := []string{a, deviceLoopback, b}
	for _, c := range []struct {
		name     string
		loopback bool
		list     []string
		want     string
	}{
		{a, false, list, a},
		{`\device\npf_{a}`, false, list, a},
		{`\Device\NPF_{B}`, false, list, b},
		{`\Device\NPF_{C}`, true, list, deviceLoopback},
		{b, true, list, b}, // as under wine, where the loopback interface has a GUID
		{`\Device\NPF_{C}`, false, list, ""},
		{`\Device\NPF_{C}`, true, []string{a}, ""},
		{a, false, nil, ""},
		{"", false, list, ""},
	} {
		got, err := chooseDevice(c.name, c.loopback, c.list)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !errors.Is(err, ErrNoInterface) {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
	if _, err := chooseDevice("x", false, list); !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), b) {
		t.Errorf("the devices that there are: %v", err)
	}
}

// The message names what was tried, what to install, and the way without.
func TestNoDriver(t *testing.T) {
	var err error = &NoDriverError{Tried: []DriverFault{
		{`C:\Windows\System32\Npcap\wpcap.dll`, fmt.Errorf("it is not there: %w", fs.ErrNotExist)},
		{`C:\Windows\System32\wpcap.dll`, lacking([]string{"pcap_next_ex", "pcap_create"})},
	}}
	err = opError("open", "x", err)
	for _, want := range []string{"install Npcap (https://npcap.com)", "Driver = raw", `System32\Npcap\wpcap.dll: it is not there`, "it lacks pcap_create, pcap_next_ex"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %s", err, want)
		}
	}
	if none := (*NoDriverError)(nil); !errors.As(err, &none) || len(none.Tried) != 2 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%#v", err)
	}
}

func TestPcapHeader(t *testing.T) {
	header := func(fields ...uint32) *[pcapHeaderLen]byte {
		var b [pcapHeaderLen]byte
		for i, f := range fields {
			binary.NativeEndian.PutUint32(b[4*i:], f)
		}
		return &b
	}
	f, n, err := parsePcapHeader(header(1<<31+5, 999999, 60, 1514))
	if err != nil || f.Sec != 1<<31+5 || f.Usec != 999999 || f.Len != 1514 || n != 60 {
		t.Errorf("%+v, %d, %v", f, n, err)
	}
	if f, n, err := parsePcapHeader(header(0, 0, 60, 10)); err != nil || f.Len != 60 || n != 60 {
		t.Errorf("longer than on the wire: %+v, %d, %v", f, n, err)
	}
	for _, n := range []uint32{MaxSnaplen + 1, 1<<32 - 1} {
		if _, _, err := parsePcapHeader(header(0, 0, n, n)); err == nil {
			t.Errorf("%d bytes taken", n)
		}
	}
}

func TestDeviceLinkType(t *testing.T) {
	for dlt, want := range map[int]uint32{0: 0, 1: LinkTypeEthernet, 12: LinkTypeRaw, 101: LinkTypeRaw} {
		if got, err := deviceLinkType(dlt); got != want || err != nil {
			t.Errorf("%d: %d, %v", dlt, got, err)
		}
	}
	for _, dlt := range []int{-1, 105, 127} {
		if _, err := deviceLinkType(dlt); !errors.Is(err, ErrLinkType) {
			t.Errorf("%d: %v", dlt, err)
		}
	}
}

package config

import (
	"reflect"
	"strings"
	"testing"

	"rpcapd/iface"
)

func TestParseDatagram(t *testing.T) {
	tests := []struct {
		value string
		want  Datagram
		text  string
	}{
		{"auto", Datagram{Auto: true}, "auto"},
		{"Jumbo", Datagram{Jumbo: true}, "jumbo"},
		{"0", Datagram{Plain: true}, "0"},
		{"64", Datagram{Size: 64}, "64"},
		{"1472", Datagram{Size: 1472}, "1472"},
		{" 8972", Datagram{Size: 8972}, "8972"},
		{"64999", Datagram{Size: 64999}, "64999"},
		{"65000", Datagram{Size: 65000}, "65000"},
		{"1000000", Datagram{Size: 65000}, "65000"},
		{"99999999999999999999", Datagram{Size: 65000}, "65000"},
		{"-1", Datagram{Size: 65000}, "65000"},
	}
	for _, tt := range tests {
		got, err := ParseDatagram(tt.value)
		if err != nil || got != tt.want || got.String() != tt.text {
			t.Errorf("%q: got %+v (%s), %v", tt.value, got, got, err)
		}
	}
	for value, want := range map[string]string{
		"1": "the headers alone take 36 bytes", "36": "the headers alone", "37": "almost nothing but headers", "63": "write 64 to 65000",
		"": "write a number of bytes", "1k": "write a number of bytes", "1472.0": "write a number of bytes",
	} {
		if _, err := ParseDatagram(value); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", value, err, want)
		}
	}
	if s := (Datagram{}).String(); s != "auto" {
		t.Errorf("zero value is %q", s)
	}
}

func TestParseNumbers(t *testing.T) {
	tests := []struct {
		name  string
		parse func(string) (int, error)
		value string
		want  int // -2: an error
	}{
		{"ring", ParseRingBytes, "4194304", 4 << 20},
		{"ring", ParseRingBytes, "64M", 64 << 20},
		{"ring", ParseRingBytes, "1g", 1 << 30},
		{"ring", ParseRingBytes, "0", DefaultRingBytes},
		{"ring", ParseRingBytes, "-5", DefaultRingBytes},
		{"ring", ParseRingBytes, "-9223372036854775808G", DefaultRingBytes},
		{"ring", ParseRingBytes, "2147483647", 1<<31 - 1},
		{"ring", ParseRingBytes, "2G", -2},
		{"ring", ParseRingBytes, "99999999999999999999", -2},
		{"ring", ParseRingBytes, "", -2},
		{"ring", ParseRingBytes, "big", -2},
		{"ring", ParseRingBytes, "M", -2},
		{"buffer", ParseSendBuffer, "16384", 16384},
		{"buffer", ParseSendBuffer, "16383", DefaultSendBuffer},
		{"buffer", ParseSendBuffer, "0", DefaultSendBuffer},
		{"buffer", ParseSendBuffer, "-1", DefaultSendBuffer},
		{"buffer", ParseSendBuffer, "x", -2},
	}
	for _, tt := range tests {
		got, err := tt.parse(tt.value)
		if tt.want == -2 && err == nil || tt.want != -2 && (err != nil || got != tt.want) {
			t.Errorf("%s %q: got %d, %v; want %d", tt.name, tt.value, got, err, tt.want)
		}
	}
}

func TestParseCPUAndNice(t *testing.T) {
	tests := []struct {
		name  string
		parse func(string) (int, bool, error)
		value string
		want  int
		two   bool
		fails bool
	}{
		{"cpu", ParseCPU, "single", -1, false, false},
		{"cpu", ParseCPU, "3", 3, false, false},
		{"cpu", ParseCPU, "-1", -1, false, false},
		{"cpu", ParseCPU, "2,3", 2, true, false},
		{"cpu", ParseCPU, "-1,-1", -1, true, false},
		{"cpu", ParseCPU, "", 0, false, true},
		{"cpu", ParseCPU, "-2", 0, false, true},
		{"cpu", ParseCPU, "1,2,3", 0, false, true},
		{"cpu", ParseCPU, "double", 0, false, true},
		{"nice", ParseNice, "5", 5, false, false},
		{"nice", ParseNice, "-5,10", -5, true, false},
		{"nice", ParseNice, "20", 0, false, true},
		{"nice", ParseNice, "a,b", 0, false, true},
	}
	for _, tt := range tests {
		got, two, err := tt.parse(tt.value)
		if (err != nil) != tt.fails || got != tt.want || two != tt.two {
			t.Errorf("%s %q: got %d, %v, %v", tt.name, tt.value, got, two, err)
		}
	}
}

// The order of precedence of the existing agents.
func TestPrecedence(t *testing.T) {
	line := CommandLine{
		Targets:   []Target{{Host: "cmd", Port: 2003, Fanout: 1}},
		NullAuth:  true,
		Interface: iface.Selector{Name: "eth7"},
		Datagram:  Datagram{Plain: true},
		RingBytes: 1 << 20,
	}
	parse := func(text string) Agent {
		a, problems := ParseAgent("x.ini", []byte(text))
		if problems.Err() != nil {
			t.Fatal(problems.Err())
		}
		return line.Apply(a)
	}
	a := parse("ActiveClient = f1, ifname=eth1\nActiveClient = f2\nActiveClient = f3, ifaddr=10.0.0.0/8\n")
	var got []string
	for _, x := range a.Targets {
		got = append(got, x.Host+" "+x.Select.String())
	}
	if want := []string{"f1 ifname=eth1", "f2 ifname=eth7", "f3 ifaddr=10.0.0.0/8"}; !reflect.DeepEqual(got, want) {
		t.Errorf("targets %q, want %q", got, want)
	}
	if !a.NullAuth || !a.Datagram.Plain || a.RingBytes != 1<<20 || a.SendBuffer != DefaultSendBuffer {
		t.Errorf("options lost: %+v", a)
	}
	if a := parse("ActiveClient = f1\nNullAuthPermit = NO\n"); a.NullAuth {
		t.Error("-n wins over NullAuthPermit = NO")
	}
	if a := parse("NullAuthPermit = YES\n"); len(a.Targets) > 0 {
		t.Errorf("a file without targets leaves those of -a: %v", a.Targets)
	}
	alone := line.Agent()
	if len(alone.Targets) != 1 || alone.Targets[0].Select.Name != "eth7" || !alone.NullAuth {
		t.Errorf("without a file: %+v", alone)
	}
	if line.Targets[0].Select.Name != "" {
		t.Error("Agent changed the command line's own targets")
	}
	if d := (CommandLine{}).Agent(); !d.Datagram.Auto || d.RingBytes != DefaultRingBytes {
		t.Errorf("defaults: %+v", d)
	}
}

package config

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestStreamsSection(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("[rule a]\n[streams]\nWindow = 256\nHold = 50 ms\nDedup = 100\nSessions = 2000\nSessionsPerAddress = 8\n"))
	want := Streams{Window: 256, Hold: 50 * time.Millisecond, Dedup: 100 * time.Millisecond, Sessions: 2000, SessionsPerAddress: 8}
	if len(problems) > 0 || got.Streams != want {
		t.Errorf("%+v, %v", got.Streams, problems)
	}
	for _, bad := range []string{"Window = 0", "Window = 5000", "Hold = 0", "Hold = 11s", "Hold = soon", "Dedup = -1ms", "Dedup = 20us", "Sessions = 0", "SessionsPerAddress = 1e3"} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n[streams]\n"+bad+"\n"))
		if len(problems) != 1 || problems[0].Line != 3 || problems[0].Warning {
			t.Errorf("%s: %v", bad, problems)
		}
	}
}

// TestHundredRules: each is there, in the order of the file.
func TestHundredRules(t *testing.T) {
	var text strings.Builder
	for i := range 100 {
		fmt.Fprintf(&text, "[rule r%d]\nPort = %d\nInterface = eth%d\nFilter = tcp port %d\n", i, 3000+i%7, i, i+1)
	}
	got, problems := ParseSensor("s.ini", []byte(text.String()))
	if len(problems) > 0 || len(got.Rules) != 100 {
		t.Fatalf("%d rules, %v", len(got.Rules), problems)
	}
	for i, r := range got.Rules {
		if r.Name != fmt.Sprint("r", i) || int(r.Port) != 3000+i%7 || r.Interfaces[0] != fmt.Sprint("eth", i) {
			t.Errorf("rule %d is %+v", i, r)
		}
	}
}

func TestSelectionKeys(t *testing.T) {
	var sel Selection
	for _, tt := range []struct {
		key, value string
		mine, bad  bool
	}{
		{"Filter", "tcp port 443 and host 10.0.0.1", true, false},
		{"Agents", "web*, 10.1.0.0/16 db1", true, false},
		{"Rules", "dmz*", true, false},
		{"Agents", "10.1.0.0/33", true, true},
		{"Agents", "web[", true, true},
		{"Rules", ",", true, true},
		{"Path", "x", false, false},
	} {
		mine, err := sel.set(setting{place: place{key: tt.key}, value: tt.value})
		if mine != tt.mine || (err != nil) != tt.bad {
			t.Errorf("%s = %s: %v, %v", tt.key, tt.value, mine, err)
		}
	}
}

func TestDataSection(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("[rule a]\n[data]\nFirstPort = 3000\nPorts = 4\nGRO = OFF\n"))
	if want := (DataPorts{First: 3000, Count: 4, GROOff: true}); len(problems) > 0 || got.Data != want {
		t.Errorf("%+v, %v", got.Data, problems)
	}
	if got, problems := ParseSensor("s.ini", []byte("[rule a]\n[data]\nGRO = auto\n")); len(problems) > 0 || got.Data.GROOff {
		t.Errorf("%+v, %v", got.Data, problems)
	}
	for _, bad := range []string{"GRO = on", "GRO = yes", "GRO ="} {
		if _, problems := ParseSensor("s.ini", []byte("[rule a]\n[data]\n"+bad+"\n")); len(problems) != 1 || problems[0].Line != 3 || problems[0].Warning {
			t.Errorf("%s: %v", bad, problems)
		}
	}
}

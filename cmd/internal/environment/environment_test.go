package environment

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestWord(t *testing.T) {
	for key, want := range map[string]string{
		"MaxRate": "MAX_RATE", "MaxCPU": "MAX_CPU", "NullAuthPermit": "NULL_AUTH_PERMIT", "log-level": "LOG_LEVEL", "User": "USER",
		"ifname": "IFNAME", "OnClose": "ON_CLOSE", "IgnoreInterfaces": "IGNORE_INTERFACES",
	} {
		if got := Word(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}

var known = []string{"SENSOR", "PORT", "MAX_RATE", "IFNAME"}

func TestRead(t *testing.T) {
	list, _, err := Read("RPCAPD_", []string{"HOME=/", "RPCAPD_SENSOR= sensor ", "RPCAPD_OPTIONS=", "RPCAPD_PORT=2003", "RPCAPD=1"}, known, []string{"OPTIONS"})
	if want := []Value{{"RPCAPD_PORT", "PORT", "2003"}, {"RPCAPD_SENSOR", "SENSOR", "sensor"}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("%v, %v", list, err)
	}
	_, _, err = Read("RPCAPD_", []string{"RPCAPD_IFNAM=eth0", "RPCAPD_IFNAME=", "RPCAPD_\x1b[2J=1"}, known, nil)
	if err == nil {
		t.Fatal("a typo, an empty value and a name that orders a terminal about were taken")
	}
	for _, want := range []string{"environment RPCAPD_IFNAM: unknown variable; did you mean RPCAPD_IFNAME?", "environment RPCAPD_IFNAME: the value is empty"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "\x1b") {
		t.Errorf("not printable: %q", err)
	}
}

// TestStrangers: what is not near a known name is told of, and is an error beside a variable that configures.
func TestStrangers(t *testing.T) {
	list, strange, err := Read("RPCAPD_", []string{"RPCAPD_BIN=/usr/sbin/rpcapd"}, known, nil)
	if err != nil || list != nil || len(strange) != 1 || !strings.HasPrefix(strange[0], "environment RPCAPD_BIN: unknown variable; known: RPCAPD_SENSOR, ") {
		t.Errorf("%v, %q, %v", list, strange, err)
	}
	for _, with := range []string{"RPCAPD_SENSOR=x", "RPCAPD_IFNMAE=eth0", "RPCAPD_IFNAME="} {
		if _, _, err := Read("RPCAPD_", []string{"RPCAPD_BIN=/usr/sbin/rpcapd", with}, known, nil); err == nil || !strings.Contains(err.Error(), "RPCAPD_BIN") {
			t.Errorf("with %s: %v", with, err)
		}
	}
}

// TestServiceLinks has what a kubelet sets for a Service rpcapd with two ports, and for one rpcapd-page, and what only looks like it.
func TestServiceLinks(t *testing.T) {
	links := []string{
		"RPCAPD_SERVICE_HOST=10.96.0.12", "RPCAPD_SERVICE_PORT=2003", "RPCAPD_SERVICE_PORT_CONTROL=2003", "RPCAPD_PORT=tcp://10.96.0.12:2003",
		"RPCAPD_PORT_2003_TCP=tcp://10.96.0.12:2003", "RPCAPD_PORT_2003_TCP_PROTO=tcp", "RPCAPD_PORT_2003_TCP_PORT=2003", "RPCAPD_PORT_2003_TCP_ADDR=10.96.0.12",
		"RPCAPD_PORT_2004_UDP=udp://10.96.0.12:2004", "RPCAPD_PORT_2004_UDP_PROTO=udp", "RPCAPD_PORT_2004_UDP_PORT=2004", "RPCAPD_PORT_2004_UDP_ADDR=10.96.0.12",
		"RPCAPD_PAGE_SERVICE_HOST=fd00::1", "RPCAPD_PAGE_SERVICE_PORT=9203", "RPCAPD_PAGE_PORT=tcp://[fd00::1]:9203", "RPCAPD_PAGE_PORT_9203_TCP=tcp://[fd00::1]:9203",
	}
	if list, strange, err := Read("RPCAPD_", links, known, nil); err != nil || len(list)+len(strange) > 0 {
		t.Errorf("%v, %v, %v", list, strange, err)
	}
	for _, entry := range []string{
		"RPCAPD_SERVICE_HOST=sensor", "RPCAPD_SERVICE_PORT=x", "RPCAPD_PAGE_PORT=2003", "RPCAPD_PORT_2003_TCP=x", "RPCAPD_PORT_x_TCP=tcp://10.0.0.1:1",
		"RPCAPD_PORT_2003_TCP_ADR=10.0.0.1", "RPCAPD_TCP=tcp://10.0.0.1:1",
	} {
		if _, strange, err := Read("RPCAPD_", []string{entry}, known, nil); err == nil && strange == nil {
			t.Errorf("%s was passed over", entry)
		}
	}
}

func TestSetFlag(t *testing.T) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	number, yes, list, text := f.Int("number", 1, ""), f.Bool("yes", false, ""), f.StringArray("list", nil, ""), f.String("text", "", "")
	if err := f.Parse([]string{"--text", "given"}); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"number": "7", "yes": "YES", "list": "a, b\nc", "text": "from the environment"} {
		if _, err := SetFlag(f, name, Value{"X_" + Word(name), Word(name), value}); err != nil {
			t.Error(err)
		}
	}
	if *number != 7 || !*yes || !slices.Equal(*list, []string{"a", "b", "c"}) || *text != "given" {
		t.Errorf("%d %v %q %q", *number, *yes, *list, *text)
	}
	f = pflag.NewFlagSet("", pflag.ContinueOnError)
	f.Int("number", 1, "")
	if _, err := SetFlag(f, "number", Value{"X_NUMBER", "NUMBER", "seven"}); err == nil || !strings.HasPrefix(err.Error(), `environment X_NUMBER: "seven": `) || strings.Contains(err.Error(), "flag") {
		t.Errorf("%v", err)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"go.uber.org/zap"
)

func withEnvironment(t *testing.T, environ []string, args ...string) (*settings, error) {
	t.Helper()
	s := &settings{}
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	s.define(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return s, s.readEnvironment(environ)
}

// TestEnvironment: variables are flags, and flags of the command line win.
func TestEnvironment(t *testing.T) {
	word := filepath.Join(t.TempDir(), "word")
	if err := os.WriteFile(word, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := withEnvironment(t, []string{
		"RPCAP_SENSOR_LISTEN=:2010", "RPCAP_SENSOR_INTERFACE=eth*, ens*", "RPCAP_SENSOR_ADDRESS=10.0.0.0/8,192.0.2.1", "RPCAP_SENSOR_UDP_PORTS=4",
		"RPCAP_SENSOR_USER=sensor1", "RPCAP_SENSOR_PASSWORD_FILE=" + word, "RPCAP_SENSOR_PROMISCUOUS=yes", "RPCAP_SENSOR_LOG_LEVEL=debug", "RPCAP_SENSOR_HTTP=:9203",
		"RPCAP_SENSOR_PORT=tcp://10.0.0.1:2003", "RPCAP_SENSOR_SERVICE_HOST=10.0.0.1", "RPCAP_SENSOR_SERVICE_PORT_CONTROL=2003",
	}, "--listen", ":2020")
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.load(zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	r := l.opts.Rules[0]
	if r.Port != 2020 || !slices.Equal(r.Interfaces, []string{"eth*", "ens*"}) || len(r.Addresses) != 2 || !r.Promiscuous || r.User != "sensor1" || r.Password != "secret" ||
		l.opts.Data.Count != 4 || s.logs.Level != "debug" || !l.config.HTTP.Enabled {
		t.Errorf("%+v %+v", r, l.opts.Data)
	}
	var out bytes.Buffer
	if err := s.printEnvironment(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "secret") || strings.Contains(text, "LISTEN") || !strings.Contains(text, "environment RPCAP_SENSOR_USER: --user sensor1\n") {
		t.Error(text)
	}
}

func TestEnvironmentRefused(t *testing.T) {
	for entry, want := range map[string]string{
		"RPCAP_SENSOR_ADRESS=10.0.0.0/8":     "environment RPCAP_SENSOR_ADRESS: unknown variable; did you mean RPCAP_SENSOR_ADDRESS?",
		"RPCAP_SENSOR_ADDRESS=":              "environment RPCAP_SENSOR_ADDRESS: the value is empty",
		"RPCAP_SENSOR_UDP_PORTS=many":        `environment RPCAP_SENSOR_UDP_PORTS: "many"`,
		"RPCAP_SENSOR_PASSWORD=very-secret":  "environment RPCAP_SENSOR_PASSWORD: a password does not belong into the environment",
		"RPCAP_SENSOR_SNAPLEN=-1":            "environment RPCAP_SENSOR_SNAPLEN: ",
		"RPCAP_SENSOR_ROTATE_SIZE=very-much": "environment RPCAP_SENSOR_ROTATE_SIZE: ",
	} {
		_, err := withEnvironment(t, []string{entry})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "very-secret") {
			t.Errorf("%s: %v", entry, err)
		}
	}
	file := filepath.Join(t.TempDir(), "x.ini")
	s, err := withEnvironment(t, []string{"RPCAP_SENSOR_FILTER=tcp", "RPCAP_SENSOR_FILE=" + file})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.load(zap.NewNop()); err == nil || !strings.HasPrefix(err.Error(), "environment RPCAP_SENSOR_FILTER describes a rule, and so does the file of -f") {
		t.Errorf("a rule of the environment beside a file: %v", err)
	}
}

// TestEnvironmentCheck: check looks at the environment, and at the file that it names.
func TestEnvironmentCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	file := "other.ini"
	if err := os.WriteFile(file, []byte("[rule all]\nPort = 2005\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := checkWith("", []string{"RPCAP_SENSOR_FILE=" + file}, &out); err != nil || !strings.Contains(out.String(), "other.ini: good, 1 rule") ||
		!strings.Contains(out.String(), "environment RPCAP_SENSOR_FILE: --file other.ini\n") {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := checkWith(file, []string{"RPCAP_SENSOR_SNAPLEN=64"}, &out); err == nil {
		t.Error("a rule of the environment beside a file")
	}
}

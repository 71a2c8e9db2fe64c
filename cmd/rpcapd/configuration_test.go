package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"rpcapd/config"
)

func TestSource(t *testing.T) {
	exists := writeFile(t, "rpcapd.ini", "")
	missing := filepath.Join(t.TempDir(), "none.ini")
	tests := []struct {
		args    string
		present string // the default file
		want    string
		err     string
	}{
		{"-f x.ini", exists, "x.ini", ""},
		{"-f x.ini -a a", exists, "x.ini", ""},
		{"-a a", exists, "", ""},
		{"", exists, exists, ""},
		{"", missing, "", "no sensor to connect to: there is no " + missing + "; write it, name another file with -f, or a sensor with -a HOST,PORT (in a container with RPCAPD_SENSOR=HOST in the environment)"},
	}
	for _, tt := range tests {
		_, _, _, s := cli(t, strings.Fields(tt.args)...)
		s.defaultFile = tt.present
		got, err := s.source()
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
			t.Errorf("%q: got %q, %v", tt.args, got, err)
		}
	}
}

func TestSaveFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "saved.ini")
	_, _, _, s := cli(t, "-n", "-a", "192.0.2.1,2004,b", "-i", "eth1", "-s", path)
	for range 2 { // the second time it is there already
		if err := s.saveFile(); err != nil {
			t.Fatal(err)
		}
	}
	a, problems, err := config.LoadAgent(path)
	if err != nil || len(problems) > 0 || len(a.Targets) != 2 || a.Targets[0].String() != "192.0.2.1, 2004, ifname=eth1" || !a.NullAuth {
		t.Errorf("got %+v, %v, %v", a, problems, err)
	}
	if list, _ := os.ReadDir(filepath.Dir(path)); len(list) != 1 {
		t.Errorf("files are left behind: %v", list)
	}
	s.save = filepath.Join(path, "below-a-file")
	if err := s.saveFile(); err == nil || !strings.Contains(err.Error(), "save ini") {
		t.Errorf("got %v", err)
	}
}

func never() bool { return false }

func TestLoadAndReload(t *testing.T) {
	core, logged := observer.New(zap.DebugLevel)
	log := zap.New(core)
	path := writeFile(t, "rpcapd.ini", "ActiveClient = file\nColour = red\nLenient = yes\n")
	_, _, _, s := cli(t, "-n", "-a", "line", "-f", path, "-i", "eth7")
	ini, cfg, err := s.load(path, log)
	if err != nil || len(cfg.Targets) != 1 || cfg.Targets[0].Host != "file" || cfg.Targets[0].Select.Name != "eth7" || !cfg.NullAuth {
		t.Fatalf("got %+v, %v", cfg, err)
	}
	expect := func(what string, words ...string) {
		t.Helper()
		var text []string
		for _, e := range logged.TakeAll() {
			text = append(text, e.Level.String()+" "+e.Message)
		}
		for _, w := range words {
			if !strings.Contains(strings.Join(text, "\n"), w) {
				t.Errorf("%s: log lacks %q: %q", what, w, text)
			}
		}
	}
	expect("load", "warn "+path+`:2: warning: Colour: unknown key`)

	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ActiveClient = new, 0\nNullAuthPermit = perhaps\n")
	if _, err := s.reload(ini, "", never, log); err == nil {
		t.Error("a bad file was taken")
	}
	expect("bad reload", `error `+path+`:1: port "0"`, path+":2: NullAuthPermit", "configuration has errors, the old one stays")
	if _, _, err := s.load(path, log); err == nil || !strings.Contains(err.Error(), "2 errors in "+path) {
		t.Errorf("start with a bad file: %v", err)
	}
	logged.TakeAll()

	write("ActiveClient = new\nNullAuthPermit = NO\nUser = other\nMaxRate = 1M\nMaxCPU = 5\n")
	cfg, err = s.reload(ini, "", never, log)
	if err != nil || cfg.Targets[0].Host != "new" || cfg.NullAuth {
		t.Errorf("got %+v, %v", cfg, err)
	}
	expect("good reload", "User takes effect at the next start only")

	for text, want := range map[string]string{
		"ActivClient = new\nNullAuthPermit = YES\n":                ":1: ActivClient: unknown key (did you mean ActiveClient?)",
		"NullAuthPermit = YES\n":                                   "no ActiveClient line is left, so all sessions would end",
		"Lenient = yes\nActiveClient = new, 2003, ifnmae = eth0\n": "no ActiveClient line is left",
		"<html>\nThis is no configuration.\n":                      ":1: \"<html>\" is not understood",
	} {
		write(text)
		if _, err := s.reload(ini, "", never, log); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	logged.TakeAll()
	write("NullAuthPermit = YES\n")
	if cfg, err := s.reload(ini, "", func() bool { return true }, log); err != nil || len(cfg.Targets) != 0 {
		t.Errorf("an empty file that was asked for: %v", err)
	}

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reload(ini, "", never, log); err == nil {
		t.Error("a file that is gone was taken")
	}
	expect("gone", "configuration not reloaded, the old one stays")
	if _, err := s.reload(nil, "", never, log); err == nil {
		t.Error("reload without a file")
	}
	expect("none", "runs without an ini")
	if _, _, err := s.load(path, log); err == nil || !strings.Contains(err.Error(), "read configuration") {
		t.Errorf("start without the file: %v", err)
	}
}

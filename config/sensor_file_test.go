package config

import (
	"strings"
	"testing"
	"time"
)

func TestSensorFiles(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("Alias = 10.0.0.5, web1\n[rule a]\n[file]\nPath = /v/%Y/x.pcapng\n[file web]\nPath = /w/{host}/%F-{interface}.pcap\n"+
		"Format = pcap\nSplit = agent\nRotateSize = 100M\nRotateTime = 1 h\nRotateFrames = 5000\nKeep = 24\nKeepBytes = 4GiB\n"+
		"Compress = zstd\nSync = 5s\nFilter = tcp port 443 # https\nAgents = web*\nRules = a\n"))
	if len(problems) > 0 || len(got.Files) != 2 {
		t.Fatalf("%+v, %v", got.Files, problems)
	}
	if f := got.Files[0]; f.Path != "/v/%Y/x.pcapng" || f.Classic || f.PerAgent || !f.SyncAtClose || f.SyncEvery != 0 || f.Compress != "" || f.Title() != "file" {
		t.Errorf("[file]: %+v", f)
	}
	if f := got.Files[1]; !f.Classic || !f.PerAgent || f.RotateSize != 100e6 || f.RotateTime != time.Hour || f.RotateFrames != 5000 || f.Keep != 24 ||
		f.KeepBytes != 4<<30 || f.Compress != "zstd" || !f.SyncAtClose || f.SyncEvery != 5*time.Second || f.Selection.Filter != "tcp port 443" ||
		len(f.Selection.Agents) != 1 || f.Title() != "file web" {
		t.Errorf("[file web]: %+v", f)
	}
	if f, problems := ParseSensor("s.ini", []byte("[rule a]\n[file]\nPath = x\nSync = never\nRotateTime = 7d\nCompress = none\n")); len(problems) > 0 ||
		f.Files[0].SyncAtClose || f.Files[0].RotateTime != 7*24*time.Hour || f.Files[0].Compress != "" {
		t.Errorf("%+v, %v", f.Files, problems)
	}
}

// TestMaxFrame: every output has it.
func TestMaxFrame(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("[rule a]\n[output]\nFile = x\nMaxFrame = 64\n[file]\nPath = y\nMaxFrame = 65519\n"+
		"[tap]\nMaxFrame = 1514\n[pcap-over-ip]\nMaxFrame = 262144\n"))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got.Output.MaxFrame != 64 || got.Files[0].Selection.MaxFrame != 65519 || got.TAP[0].MaxFrame != 1514 || got.PcapOverIP[0].Selection.MaxFrame != 262144 {
		t.Errorf("%+v", got)
	}
}

func TestSensorFilesRefused(t *testing.T) {
	for text, want := range map[string]string{
		"[file]":                         "s.ini:2: [file] has no Path",
		"[file]\nPath = -":               "File = - into [output]",
		"[file]\nPath = /v/":             "write the name of the files behind it",
		"[file]\nPath = /v/%Q":           "followed by one of Y y m d",
		"[file]\nPath = /v/x%":           "followed by one of Y y m d",
		"[file]\nPath = /v/{hots}":       "followed by one of host, agent",
		"[file]\nPath = /v/{host":        "followed by one of host, agent",
		"[file]\nPath = /v/%Y/../x":      "leads to somewhere else",
		"[file]\nPath = x{host}":         "they need Split = agent",
		"[file]\nPath = x\nSplit=agent":  "put {host} into it",
		"[file]\nPath = x\nSplit=host":   "merged or agent",
		"[file]\nPath = x\nFormat=erf":   "pcapng or pcap",
		"[file]\nPath = x\nKeep=3":       "add RotateSize",
		"[file]\nPath = x\nKeep=0":       "1 to 1000000",
		"[file]\nPath = x\nCompress=lz4": "none or gzip or zstd",
		"[file]\nPath = x\nSync=always":  "never, close, or a time",
		"[file]\nPath = x\nSync=1ms":     "never, close, or a time",

		"[file]\nPath = x\nRotateSize=10":               "at least 4096",
		"[file]\nPath = x\nRotateSize=1e9":              "as in 500k",
		"[file]\nPath = x\nRotateSize=lots":             "as in 500k",
		"[file]\nPath = x\nRotateTime=10ms":             "as in 30s",
		"[file]\nPath = x\nRotateTime=999999999d":       "as in 30s",
		"[file]\nPath = x\nRotateFrames=0":              "number of 1",
		"[file]\nPath = x\nRotateSize=1G\nKeepBytes=1M": "make KeepBytes larger",
		"[file]\nPath = x\n[file b]\nPath = x":          "same Path as the section on line 2",
		"[file]\nPath = x\nRotatSize=1M":                "did you mean RotateSize?",
		"[file]\nPath = x\nAgents = [a":                 "needs a ]",
		"[file]\nPath = x\nMaxFrame = 63":               "s.ini:4: MaxFrame \"63\": write a number of bytes, 64 to 262144",
		"[output]\nFile = x\nMaxFrame = 262145":         "64 to 262144",
		"[tap]\nMaxFrame = -1":                          "64 to 262144",
		"[pcap-over-ip]\nMaxFrame = all":                "64 to 262144",
		"[pcap-over-ip]\nMaxFram = 100":                 "did you mean MaxFrame?",
	} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n"+text+"\n"))
		if len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
}

func TestSplitFilePath(t *testing.T) {
	for pattern, want := range map[string][2]string{
		"x.pcapng":           {".", "x.pcapng"},
		"/x.pcapng":          {"/", "x.pcapng"},
		"/v/a/x-%Y.pcapng":   {"/v/a", "x-%Y.pcapng"},
		"/v/a%Y/{host}/x":    {"/v", "a%Y/{host}/x"},
		"out/{host}/%F.pcap": {"out", "{host}/%F.pcap"},
	} {
		if dir, rest := SplitFilePath(pattern); dir != want[0] || rest != want[1] {
			t.Errorf("%s: %s and %s", pattern, dir, rest)
		}
	}
}

package config

import (
	"strings"
	"testing"
	"time"
)

func TestSensorPcapOverIP(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("[rule a]\n[pcap-over-ip]\n"))
	if len(problems) > 0 || len(got.PcapOverIP) != 1 {
		t.Fatalf("empty section: %+v, %v", got.PcapOverIP, problems)
	}
	if o := got.PcapOverIP[0]; o.Listen != DefaultPcapOverIP || o.TLS || o.LinkType != -1 || o.Title() != "pcap-over-ip" {
		t.Errorf("empty section: %+v", o)
	}
	if got, _ := ParseSensor("s.ini", []byte("[rule a]\n")); len(got.PcapOverIP) != 0 {
		t.Error("served without a section")
	}
	got, problems = ParseSensor("s.ini", []byte(`Alias = 10.0.0.5, web1
[rule dmz]
[pcap-over-ip web]
Listen = 10.0.0.1
Filter = tcp[13] & 2 != 0
Agents = web*, 10.1.0.0/16
Clients = 8
AllowClients = 10.0.0.0/8
[pcap-over-ip classic]
Listen = 57013
Format = pcap
LinkType = DLT_LINUX_SLL2
Certificate = c.pem
Key = k.pem
ClientCA = ca.pem
Buffer = 32M
Stalled = 30s
[pcap-over-ip arkime]
Connect = arkime.example:57012
CA = ca.pem
ServerName = arkime
Rules = dmz
`))
	if len(problems) > 0 || len(got.PcapOverIP) != 3 {
		t.Fatalf("%+v, %v", got.PcapOverIP, problems)
	}
	web, classic, out := got.PcapOverIP[0], got.PcapOverIP[1], got.PcapOverIP[2]
	if web.ListenText() != "10.0.0.1:57012" || web.Selection.Filter != "tcp[13] & 2 != 0" || len(web.Selection.Agents) != 2 ||
		web.Clients != 8 || len(web.AllowClients) != 1 || web.Title() != "pcap-over-ip web" {
		t.Errorf("%+v", web)
	}
	if classic.ListenText() != "127.0.0.1:57013" || !classic.Classic || classic.LinkType != 276 || !classic.TLS ||
		classic.Buffer != 32<<20 || classic.Stalled != 30*time.Second {
		t.Errorf("%+v", classic)
	}
	if out.Connect != "arkime.example:57012" || !out.TLS || out.ServerName != "arkime" || len(out.Selection.Rules) != 1 {
		t.Errorf("%+v", out)
	}
}

func TestSensorPcapOverIPProblems(t *testing.T) {
	for text, want := range map[string]string{
		"Listen = :57012":                       "accepts everybody",
		"Listen = 1.2.3.4:x":                    "ADDRESS:PORT",
		"Listen = ::1\nConnect = a:1":           "two sections",
		"Connect = a":                           "HOST:PORT",
		"Connect = :5":                          "HOST:PORT",
		"Connect = a:1\nClients = 3":            "for clients that connect",
		"Certificate = c.pem":                   "only one of Certificate and Key",
		"TLS = yes":                             "no Certificate and Key",
		"CA = c.pem\nCertificate = a\nKey = b":  "ClientCA is for clients",
		"LinkType = 1":                          "for Format = pcap",
		"LinkType = 70000":                      "LINKTYPE number",
		"Format = tar":                          "pcapng or pcap",
		"Clients = 0":                           "",
		"Buffer = 2G":                           "",
		"Stalled = 3":                           "as in 2m",
		"AllowClients = 1.2.3.4/40":             "1.2.3.4/40",
		"Agents = 10.0.0.0/40":                  "10.0.0.0/40",
		"Lisen = :1":                            "did you mean Listen?",
		"[pcap-over-ip b]\nListen = 127.0.0.1:": "ADDRESS:PORT",
		"[pcap-over-ip b]\nFilter = tcp":        "as the section on line 2 does",
	} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n[pcap-over-ip]\n"+text+"\n"))
		if len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
	for _, text := range []string{"Listen = :57012\nAllowClients = 10.0.0.0/8", "Connect = [::1]:57012\nTLS = yes"} {
		if _, problems := ParseSensor("s.ini", []byte("[rule a]\n[pcap-over-ip]\n"+text+"\n")); len(problems) != 0 {
			t.Errorf("%q: %v", text, problems)
		}
	}
}

package config

import (
	"strings"
	"testing"
)

func TestParseHTTPListen(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:9203": "127.0.0.1:9203", "9300": "127.0.0.1:9300", ":9300": ":9300", "*:9300": ":9300",
		"10.0.0.1": "10.0.0.1:9203", "[::1]:80": "[::1]:80", "::1": "[::1]:9203", "localhost:99": "127.0.0.1:99",
		"": "", "x:80": "", "1.2.3.4:0": "", "1.2.3.4:70000": "", "1.2.3.4:80:90": "",
	} {
		a, err := ParseHTTPListen(text)
		if got := (HTTP{Listen: a}).ListenText(); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %s, %v; want %q", text, got, err, want)
		}
	}
}

func TestSensorHTTP(t *testing.T) {
	account, err := NewAccount("ops", "a secret")
	if err != nil {
		t.Fatal(err)
	}
	got, problems := ParseSensor("s.ini", []byte("[rule a]\n[http]\n"))
	if len(problems) > 0 || !got.HTTP.Enabled || got.HTTP.Listen != DefaultHTTP || !got.HTTP.Local() {
		t.Errorf("empty section: %+v, %v", got.HTTP, problems)
	}
	if got, _ := ParseSensor("s.ini", []byte("[rule a]\n")); got.HTTP.Enabled {
		t.Error("served without a section")
	}
	got, problems = ParseSensor("s.ini", []byte("[rule a]\n[http]\nListen = :9300\nCertificate = c.pem\nKey = k.pem\nNames = Sensor.example, b\n"+
		account.Setting()+"\n"+strings.Replace(account.Setting(), "ops", "boss", 1)+"\n"))
	h := got.HTTP
	if len(problems) > 0 || h.Certificate != "c.pem" || h.Key != "k.pem" || len(h.Accounts) != 2 || h.Accounts[1].Name != "boss" ||
		strings.Join(h.Names, " ") != "sensor.example b" || h.Local() {
		t.Errorf("%+v, %v", h, problems)
	}
	for text, want := range map[string]string{
		"Listen = :9300":                                 "asks for no password",
		"Listen = :9300\n" + account.Setting():           "without TLS",
		"Certificate = c.pem":                            "only one of Certificate and Key",
		"Listen = 10.0.0.1:x":                            "ADDRESS:PORT",
		"Account = ops, a secret":                        "as rpcap-sensor passwd prints it",
		"Certficate = c.pem":                             "did you mean Certificate?",
		"Listen = 127.0.0.1:9203\nListen = [::1]:9203\n": "is already on line 3",
	} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n[http]\n"+text+"\n"))
		if len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
		for _, p := range problems {
			if strings.Contains(p.String(), "a secret") {
				t.Errorf("a password is shown: %v", p)
			}
		}
	}
}

package config

import (
	"strings"
	"testing"
)

func TestSensorTAP(t *testing.T) {
	got, problems := ParseSensor("s.ini", []byte("Alias = 10.0.0.5, web1\n[rule a]\n[tap]\n[tap web]\nInterface = web0\nMTU = 9216\nGuard = no\nPersist = yes\n"+
		"Filter = tcp port 443 # https\nAgents = web*, 10.1.0.0/16\nRules = a\n"))
	if len(problems) > 0 || len(got.TAP) != 2 {
		t.Fatalf("%+v, %v", got.TAP, problems)
	}
	if first := got.TAP[0]; first.Interface != "rpcap0" || !first.Guard || first.Persist || first.MTU != 0 || first.Filter != "" {
		t.Errorf("[tap]: %+v", first)
	}
	if web := got.TAP[1]; web.Interface != "web0" || web.MTU != 9216 || web.Guard || !web.Persist || web.Filter != "tcp port 443" ||
		len(web.Agents) != 2 || len(web.Rules) != 1 {
		t.Errorf("[tap web]: %+v", web)
	}
	if got, _ := ParseSensor("s.ini", []byte("[rule a]\n")); len(got.TAP) > 0 {
		t.Error("a TAP interface without a section")
	}
	for text, want := range map[string]string{
		"[tap]\nInterface = a/b":              "without /",
		"[tap]\nInterface = tap%d":            "without /",
		"[tap]\nInterface = sixteenletterslo": "at most 15",
		"[tap]\nMTU = 65522":                  "68 to 65521",
		"[tap]\nMTU = 1.5k":                   "68 to 65521",
		"[tap]\nGuard = maybe":                "YES or NO",
		"[tap]\nIntreface = rpcap0":           "did you mean Interface?",
		"[tap]\nAgents = [a":                  "needs a ]",
		"[tap]\n[tap b]\n":                    "and so has that of line 2",
	} {
		_, problems := ParseSensor("s.ini", []byte("[rule a]\n"+text+"\n"))
		if len(problems) != 1 || !strings.Contains(problems[0].String(), want) {
			t.Errorf("%q: %v, want %q", text, problems, want)
		}
	}
}

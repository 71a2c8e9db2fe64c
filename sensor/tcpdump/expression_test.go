package tcpdump

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"rpcapd/test/tool"
)

// TestBesideTag: which "vlan" asks for the outer tag, and what else only looks like one.
func TestBesideTag(t *testing.T) {
	const present, is = "(ether[0xfffff030]=1)", "(ether[0xfffff02c]&0xfff="
	for e, want := range map[string]string{
		"vlan":                               present,
		"vlan 5":                             is + "5)",
		"vlan 0x5 and ip":                    is + "0x5) and ip",
		"vlan (5)":                           is + "(5))",
		"vlan((5))&&ip":                      is + "((5)))&&ip",
		"vlan 5 and vlan 6":                  is + "5) and vlan 6",
		"vlan and vlan":                      present + " and vlan",
		"vlan or ip":                         present + " or ip",
		"not vlan":                           "not " + present,
		"!vlan":                              "!" + present,
		"(vlan 5) or (vlan 6)":               "(" + is + "5)) or (vlan 6)",
		"vlan and (ip or arp)":               present + " and (ip or arp)",
		"ip\tand\nvlan\r7":                   "ip\tand\n" + is + "7)",
		"host vlan-gw.example and vlan 5":    "host vlan-gw.example and " + is + "5)",
		`host \vlan and vlan 5`:              `host \vlan and ` + is + "5)",
		`(host \vlan)and vlan`:               `(host \vlan)and ` + present,
		"host a.vlan or host vlan.a or vlan": "host a.vlan or host vlan.a or " + present,
		"vlan 5 and geneve and vlan 6":       is + "5) and geneve and vlan 6",
		"vlan and pppoes":                    present + " and pppoes",
		"host geneve-gw and vlan 5":          "host geneve-gw and " + is + "5)",

		"":                      "",
		"ip":                    "",
		"vlan5":                 "",
		"VLAN 5":                "", // tcpdump refuses it
		"host vlan5 or vlan-x":  "",
		`host \vlan`:            "",
		"geneve and vlan 5":     "", // the Ethernet header within
		"geneve 7 or vlan":      "",
		"host vlan.example.com": "",
	} {
		if got, found := besideTag(e); got != want || found != (want != "") {
			t.Errorf("%q: %q, want %q", e, got, want)
		}
	}
}

// TestOnlyLive: what tcpdump compiles only for its own captures, or compiles to something else than it means there, is
// refused with the reason and a cure, and its look-alikes are not.
func TestOnlyLive(t *testing.T) {
	for e, want := range map[string]string{
		"inbound":              "inbound compiles only",
		"tcp and (outbound)":   "outbound compiles only",
		"ip broadcast":         "ip broadcast needs the network mask",
		"ip6 protochain 6":     "protochain needs a loop",
		"ether broadcast":      "",
		"broadcast":            "",
		`host \inbound`:        "",
		"host inbound.example": "",
		"ip multicast":         "",
	} {
		err := onlyLive(e)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "; ")) {
			t.Errorf("%q: %v, want %q", e, err, want)
		}
	}
	tool.Need(t, "tcpdump")
	for _, e := range []string{"inbound", "ip broadcast", "ip protochain 6"} { // Linux cooked headers have the direction
		if err := NewCompiler().Check(t.Context(), e); !errors.As(err, new(meaninglessError)) {
			t.Errorf("%q: %v", e, err)
		}
	}
}

// FuzzExpression: the words of an expression are its bytes, in order.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"vlan 5 and ip", `host \vlan`, "vlan((5))", "a-_", "\\", "vlan (", "vlan ((5)", "\x80vlan"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, e string) {
		at := 0
		for _, w := range splitExpression(e) {
			if w.start < at || w.end <= w.start || e[w.start:w.end] != w.text || strings.Trim(e[at:w.start], " \t\r\n") != "" {
				t.Fatalf("%q: %+v after %d", e, w, at)
			}
			at = w.end
		}
		if strings.Trim(e[at:], " \t\r\n") != "" {
			t.Fatalf("%q: %q is left", e, e[at:])
		}
		if tagged, found := besideTag(e); found && strings.Count(tagged, "ether[0xfffff0") != strings.Count(e, "ether[0xfffff0")+1 {
			t.Fatalf("%q became %q", e, tagged)
		}
		_ = onlyLive(e)
	})
}

// TestScannerAgrees asks tcpdump which of these begin with the keyword.
func TestScannerAgrees(t *testing.T) {
	tool.Need(t, "tcpdump")
	for _, e := range []string{
		"vlan", "vlan 5", "vlan(5)", "vlan&&ip", "(vlan)", "!vlan", "vlan\n5", "vlan\t5", "vlan 0x64", "vlan 010", "ip or vlan",
		"vlan5", "vlan-5", "vlan.", "vlan_a", "VLAN", `\vlan`, `host \vlan`, "host vlan.invalid", "vlan\v5",
	} {
		cmd := exec.Command("tcpdump", "-d", "-r", "-", "--", e)
		cmd.Stdin = strings.NewReader(string(emptyCapture(Ethernet)))
		out, err := cmd.Output()
		asks := err == nil && strings.Contains(string(out), "#0x8100")
		if _, found := besideTag(e); found != asks {
			if err != nil { // refused by tcpdump: it does not matter what is made of it
				continue
			}
			t.Errorf("%q: found %v, tcpdump looks for a tag: %v", e, found, asks)
		}
	}
}

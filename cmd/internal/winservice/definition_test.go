package winservice

import "testing"

// TestServiceSID: well known ones, which Windows documents.
func TestServiceSID(t *testing.T) {
	for name, want := range map[string]string{
		"TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
		"trustedinstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
		"MSSQLSERVER":      "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003",
	} {
		if got := serviceSID(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestParseAccount(t *testing.T) {
	for text, want := range map[string]Account{
		"LocalService": LocalService, `NT AUTHORITY\Local Service`: LocalService, "localsystem": LocalSystem, `NT AUTHORITY\SYSTEM`: LocalSystem,
		"NetworkService": `NT AUTHORITY\NetworkService`, `nt service\RPCAPD`: `NT SERVICE\rpcapd`, `.\LocalSystem`: LocalSystem,
		"": "", "Administrator": "", `DOMAIN\user`: "", `NT SERVICE\web`: "", "LocalService ": "",
	} {
		got, err := ParseAccount(text, "rpcapd")
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestParseStart(t *testing.T) {
	for text, want := range map[string]StartKind{"auto": StartAuto, "Demand": StartDemand, "disabled": StartDisabled, "": "", "manual": "", "auto ": ""} {
		if got, err := ParseStart(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}

// TestACL: nobody but the system, the administrators and the service is named, and nothing is inherited.
func TestACL(t *testing.T) {
	d := Definition{Name: "TrustedInstaller"}
	const sid = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	for got, want := range map[string]string{
		d.dataACL(): "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;" + sid + ")",
		d.runACL():  "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" + sid + ")",
		d.iniACL():  "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;" + sid + ")",
	} {
		if got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

package windows

import (
	"encoding/json"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rpcapd/test/netlab"
)

// TestSBOM lists the modules of a program of which some are known.
func TestSBOM(t *testing.T) {
	if _, err := exec.LookPath("go"); err != nil { // as where a compiled test is run
		netlab.Missing(t, err.Error())
	}
	out, err := exec.Command("go", "tool", "-n", "go-winres").Output() // where it is
	if err != nil {
		t.Fatal(err)
	}
	exe := strings.TrimSpace(string(out))
	p := Program{Name: "rpcapd", Version: Version{Text: "1.2.3+git5.abc"}}
	text, err := p.SBOM(exe, time.Unix(1700000000, 0))
	if err != nil {
		t.Fatal(err)
	}
	type component struct{ Type, Name, Version, PURL string }
	var bom struct {
		BOMFormat, SpecVersion, SerialNumber string
		Metadata                             struct {
			Timestamp string
			Component struct{ Name, Version, PURL string }
		}
		Components []component
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != "1.5" || bom.Metadata.Timestamp != "2023-11-14T22:13:20Z" ||
		bom.Metadata.Component.PURL != "pkg:generic/rpcapd@1.2.3%2Bgit5.abc" {
		t.Errorf("%+v", bom)
	}
	if c := bom.Components[0]; c.Name != "std" || "go"+c.Version != runtime.Version() {
		t.Errorf("%+v, this is %s", c, runtime.Version())
	}
	if !slices.ContainsFunc(bom.Components, func(c component) bool {
		return c.Name == "github.com/tc-hib/winres" && c.PURL == "pkg:golang/github.com/tc-hib/winres@"+c.Version && strings.HasPrefix(c.Version, "v")
	}) {
		t.Errorf("winres is missing: %+v", bom.Components)
	}
	if again, err := p.SBOM(exe, time.Unix(1700000000, 0)); err != nil || string(again) != string(text) {
		t.Errorf("the second one differs: %v", err)
	}
	if _, err := p.SBOM("sbom_test.go", time.Now()); err == nil {
		t.Error("a text has modules")
	}
}

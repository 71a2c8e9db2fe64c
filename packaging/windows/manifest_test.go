package windows

import (
	"encoding/xml"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestManifests looks at the shape of what winget and Chocolatey read: nothing here can try them.
func TestManifests(t *testing.T) {
	for name, keys := range map[string]string{
		"rpcapd.yaml":              "PackageIdentifier PackageVersion DefaultLocale ManifestType ManifestVersion",
		"rpcapd.installer.yaml":    "PackageIdentifier PackageVersion InstallerType Scope Installers ManifestType ManifestVersion",
		"rpcapd.locale.en-US.yaml": "PackageIdentifier PackageVersion PackageLocale Publisher PackageName License ShortDescription ManifestType ManifestVersion",
	} {
		text, err := os.ReadFile("winget/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for key := range strings.FieldsSeq(keys) {
			if !regexp.MustCompile(`(?m)^` + key + `:( \S|$)`).Match(text) {
				t.Errorf("winget/%s: no %s", name, key)
			}
		}
		if n := strings.Count(string(text), "UpgradeCode: "); n != strings.Count(string(text), `UpgradeCode: "`+upgradeCode+`"`) {
			t.Errorf("winget/%s: another upgrade code than the msi's", name)
		}
	}
	var spec struct {
		ID      string `xml:"metadata>id"`
		Version string `xml:"metadata>version"`
		Authors string `xml:"metadata>authors"`
		About   string `xml:"metadata>description"`
	}
	text, err := os.ReadFile("chocolatey/rpcapd.nuspec")
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, &spec); err != nil || spec.ID != "rpcapd" || spec.Version == "" || spec.Authors == "" || spec.About == "" {
		t.Errorf("chocolatey/rpcapd.nuspec: %+v, %v", spec, err)
	}
}

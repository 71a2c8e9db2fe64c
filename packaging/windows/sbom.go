package windows

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// SBOM lists what is linked into an exe, from the list that the Go linker left in it, as CycloneDX 1.5.
func (p Program) SBOM(exe string, when time.Time) ([]byte, error) {
	info, err := buildinfo.ReadFile(exe)
	if err != nil {
		return nil, fmt.Errorf("list modules: %w", err)
	}
	type component struct {
		Type    string `json:"type"`
		Ref     string `json:"bom-ref"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	golang := func(kind, path, version string) component {
		purl := "pkg:golang/" + path + "@" + version
		return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
	}
	self := golang("application", p.Name, p.Version.Text)
	self.PURL = "pkg:generic/" + p.Name + "@" + strings.ReplaceAll(p.Version.Text, "+", "%2B")
	parts := []component{golang("library", "std", strings.TrimPrefix(info.GoVersion, "go"))}
	for _, m := range info.Deps { // sorted by path
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, golang("library", m.Path, m.Version))
	}
	if len(parts) == 1 {
		return nil, fmt.Errorf("list modules: %s names none", exe)
	}
	names := make([]string, len(parts))
	for i, c := range parts {
		names[i] = c.Ref
	}
	type object = map[string]any
	bom := object{
		"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
		"serialNumber": "urn:uuid:" + strings.ToLower(uuid(fmt.Sprintf("%x", sha256.Sum256([]byte(self.Ref+strings.Join(names, "\n")+when.String()))))),
		"metadata":     object{"timestamp": when.UTC().Format(time.RFC3339), "component": self},
		"components":   parts,
		"dependencies": []object{{"ref": self.Ref, "dependsOn": names}},
	}
	text, err := json.MarshalIndent(bom, "", "  ")
	return append(text, '\n'), err
}

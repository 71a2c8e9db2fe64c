package windows

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Program is one program and its version.
type Program struct {
	Name        string // rpcapd
	Description string // what Windows shows as its name
	Version     Version
	Company     string
}

// AddResources puts the icon, the version information and the manifest into an exe.
func (p Program) AddResources(exe string) error {
	dir, err := os.MkdirTemp("", "rpcapd-resources")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) // nothing in it is wanted any more
	ico, err := Icon()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "icon.ico"), ico, 0o644); err != nil {
		return err
	}
	text, err := json.MarshalIndent(p.resources(), "", "  ")
	if err != nil {
		return fmt.Errorf("describe resources: %w", err)
	}
	description := filepath.Join(dir, "winres.json")
	if err := os.WriteFile(description, text, 0o644); err != nil {
		return err
	}
	return run("go", "tool", "go-winres", "patch", "--in", description, "--no-backup", "--delete", exe)
}

// resources is what go-winres reads. Languages are neutral (0000) and English (0409).
func (p Program) resources() any {
	type object = map[string]any
	return object{
		"RT_GROUP_ICON": object{"APP": object{"0000": "icon.ico"}},
		"RT_MANIFEST": object{"#1": object{"0409": object{
			"identity":        object{"name": p.Name, "version": p.Version.File},
			"description":     p.Description,
			"minimum-os":      "win10",
			"execution-level": "as invoker", // most commands need no administrator, and a service has its account
			"long-path-aware": true,
		}}},
		"RT_VERSION": object{"#1": object{"0000": object{
			"fixed": object{"file_version": p.Version.File, "product_version": p.Version.File},
			"info": object{"0409": object{
				"CompanyName":      p.Company,
				"FileDescription":  p.Description,
				"FileVersion":      p.Version.Text,
				"InternalName":     p.Name,
				"OriginalFilename": p.Name + ".exe",
				"ProductName":      p.Name,
				"ProductVersion":   p.Version.Text,
			}},
		}}},
	}
}

package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"

	"rpcapd/packaging/windows"
)

// onWindows is what a program is there.
type onWindows struct {
	description string
	script      string // in packaging/windows, which installs from the zip; empty for none
	msi         bool
}

// buildWindows makes the zip of each architecture, and the msi.
func (p *program) buildWindows(src *source, o options, work string) error {
	zip, msi := wanted(o.formats, "zip"), p.windows.msi && wanted(o.formats, "msi")
	if msi {
		if err := windows.CheckTools(); err != nil {
			if len(o.formats) > 0 {
				return err
			}
			fmt.Printf("package: %s: no msi is made: %v\n", p.name, err)
			msi = false
		}
	}
	for _, a := range servers {
		if !zip && !msi || !wanted(o.arches, a.goarch) {
			continue
		}
		if err := p.buildWindowsArch(src, o, a, work, zip, msi); err != nil {
			return fmt.Errorf("windows %s: %w", a.goarch, err)
		}
	}
	return nil
}

func (p *program) buildWindowsArch(src *source, o options, a arch, work string, zip, msi bool) error {
	version, err := windows.ParseVersion(src.version.text)
	if err != nil {
		return err
	}
	signer, err := windows.NewSigner(src.time)
	if err != nil {
		return err
	}
	product := windows.Program{Name: p.name, Description: p.windows.description, Version: version, Company: company()}
	stage := filepath.Join(work, p.name+"-windows-"+a.goarch)
	exe := filepath.Join(stage, p.name+".exe")
	if err := p.compile(src, "windows", a, exe); err != nil {
		return err
	}
	if err := product.AddResources(exe); err != nil {
		return err
	}
	bom, err := product.SBOM(exe, src.time)
	if err != nil {
		return err
	}
	if err := signer.Sign(exe, p.windows.description); err != nil {
		return err
	}
	files, err := p.stageWindows(stage, cmp.Or(o.ini, "packaging/ini/"+p.ini), bom)
	if err != nil {
		return err
	}
	base := fmt.Sprintf("%s-%s-windows-%s", p.name, src.version.text, a.goarch)
	out := filepath.Join(work, "dist", base)
	if zip {
		inside := append([]windows.File{{Source: exe, Name: p.name + ".exe"}}, files...)
		if p.windows.script != "" {
			inside = append(inside, windows.File{Source: "packaging/windows/" + p.windows.script, Name: p.windows.script})
		}
		if err := windows.Zip(out+".zip", base, inside, src.time); err != nil {
			return fmt.Errorf("zip: %w", err)
		}
		announce(out + ".zip")
	}
	if msi {
		m := windows.MSI{Program: product, GOARCH: a.goarch, Homepage: cmp.Or(os.Getenv("HOMEPAGE"), homepage), Exe: exe, Files: files, Time: src.time}
		if err := m.Build(out + ".msi"); err != nil {
			return err
		}
		if err := signer.Sign(out+".msi", p.windows.description); err != nil {
			return err
		}
		announce(out + ".msi")
	}
	return nil
}

// stageWindows lays out what is beside the program: documents, the template of the configuration, licences, the SBOM.
func (p *program) stageWindows(stage, ini string, bom []byte) ([]windows.File, error) {
	notices, err := p.thirdParty("windows")
	if err != nil {
		return nil, err
	}
	t := tree{root: stage}
	plain := *p
	plain.examples = nil // they are about Linux
	plain.stageGuides(&t, "/")
	t.copy("LICENSE", "/LICENSE.txt")
	t.write("/THIRD-PARTY.txt", notices)
	t.write("/"+p.name+".cdx.json", bom)
	t.copy(ini, "/"+p.ini+".example") // not the name that is read: an empty one would be taken for the real one
	if t.err != nil {
		return nil, t.err
	}
	list, err := filepath.Glob(filepath.Join(stage, "*"))
	if err != nil {
		return nil, err
	}
	var files []windows.File
	for _, path := range list { // sorted
		if name := filepath.Base(path); name != p.name+".exe" {
			files = append(files, windows.File{Source: path, Name: name})
		}
	}
	return files, nil
}

func announce(path string) {
	if info, err := os.Stat(path); err == nil {
		fmt.Printf("package: %-52s %8d bytes\n", filepath.Base(path), info.Size())
	}
}

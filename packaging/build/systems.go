package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// system is one that the agent is packaged for as an archive: the files as they are installed below root/, and INSTALL, which
// says what to do with them.
type system struct {
	goos, name string
	arches     []string          // as Go names them
	prefix     string            // of the manual pages
	files      map[string]string // in packaging, to where they are installed
	scripts    []string          // of these, what is executed
}

var systems = []system{
	{
		goos: "freebsd", name: "FreeBSD", arches: []string{"amd64", "arm64"}, prefix: "/usr/local/share/man",
		files:   map[string]string{"freebsd/rpcapd": "/usr/local/etc/rc.d/rpcapd"},
		scripts: []string{"/usr/local/etc/rc.d/rpcapd"},
	},
	{
		goos: "openbsd", name: "OpenBSD", arches: []string{"amd64", "arm64"}, prefix: "/usr/local/man",
		files:   map[string]string{"openbsd/rpcapd": "/etc/rc.d/rpcapd"},
		scripts: []string{"/etc/rc.d/rpcapd"},
	},
	{
		goos: "darwin", name: "macOS", arches: []string{"amd64", "arm64"}, prefix: "/usr/local/share/man",
		files: map[string]string{"macos/rpcapd.plist": "/Library/LaunchDaemons/rpcapd.plist"},
	},
}

// buildSystems makes the archives of the agent for the systems that have no package of their own.
func (p *program) buildSystems(src *source, o options, common, work string) error {
	if p.name != "rpcapd" || !wanted(o.formats, "bsd") {
		return nil
	}
	for _, s := range systems {
		for _, goarch := range s.arches {
			if !wanted(o.arches, goarch) {
				continue
			}
			base := fmt.Sprintf("%s-%s-%s-%s", p.name, src.version.text, strings.ToLower(s.name), goarch)
			stage := filepath.Join(work, base)
			if err := p.stageSystem(src, s, goarch, cmp.Or(o.ini, "packaging/ini/"+p.ini), common, stage); err != nil {
				return fmt.Errorf("%s/%s: %w", s.goos, goarch, err)
			}
			size, err := p.systemArchive(src, base, stage, filepath.Join(work, "dist"))
			if err != nil {
				return fmt.Errorf("%s/%s: %w", s.goos, goarch, err)
			}
			fmt.Printf("package: %-52s %8d bytes\n", base+".tar.gz", size)
		}
	}
	return nil
}

// stageSystem lays out the files of one archive.
func (p *program) stageSystem(src *source, s system, goarch, ini, common, stage string) error {
	root := filepath.Join(stage, "root")
	binary := filepath.Join(root, "/usr/local/sbin", p.name)
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	env := []string{"CGO_ENABLED=0", "GOOS=" + s.goos, "GOARCH=" + goarch, "GOFLAGS="}
	if _, err := run(env, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+src.version.text, "-o", binary, "./cmd/"+p.name); err != nil {
		return err
	}
	t := tree{root: root}
	for name, dst := range s.files {
		t.copy("packaging/"+name, dst)
	}
	t.copy(ini, "/usr/local/share/"+p.name+"/"+p.ini)
	pages, err := filepath.Glob(filepath.Join(common, "man[58]", "*"))
	t.note(err)
	for _, page := range pages {
		t.compress(page, s.prefix+"/"+filepath.Base(filepath.Dir(page))+"/"+filepath.Base(page)+".gz")
	}
	doc := "/usr/local/share/doc/" + p.name
	t.copy("LICENSE", doc+"/LICENSE")
	t.compress(filepath.Join(common, "THIRD-PARTY"), doc+"/THIRD-PARTY.gz")
	p.stageGuides(&t, doc)
	t.note(stageNotes(src, s, goarch, stage))
	if t.err != nil {
		return t.err
	}
	if err := (&tree{root: stage}).settle(src); err != nil {
		return err
	}
	for _, script := range s.scripts {
		if err := os.Chmod(filepath.Join(root, script), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// stageNotes writes INSTALL with the version in it.
func stageNotes(src *source, s system, goarch, stage string) error {
	text, err := os.ReadFile(filepath.Join("packaging", strings.ToLower(s.name), "INSTALL"))
	if err != nil {
		return err
	}
	notes := strings.NewReplacer("@VERSION@", src.version.text, "@ARCH@", goarch).Replace(string(text))
	return os.WriteFile(filepath.Join(stage, "INSTALL"), []byte(notes), 0o644)
}

func (p *program) systemArchive(src *source, base, stage, out string) (size int64, err error) {
	f, err := os.Create(filepath.Join(out, base+".tar.gz"))
	if err != nil {
		return 0, err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	if err := archive(f, src, base, stage); err != nil {
		return 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// maintainer and homepage stand in the packages; a builder of his own sets MAINTAINER and
// HOMEPAGE.
const (
	maintainer = "rpcapd maintainers <rpcapd@example.org>"
	homepage   = "https://example.org/rpcapd"
)

// company is the maintainer without the address.
func company() string {
	name, _, _ := strings.Cut(cmp.Or(os.Getenv("MAINTAINER"), maintainer), "<")
	return strings.TrimSpace(name)
}

// documents makes what is the same for all architectures: pages, completion, licences.
func (p *program) documents(src *source, dir string) error {
	env := []string{"SOURCE_DATE_EPOCH=" + src.epoch(), "CGO_ENABLED=0", "RUNTIME_DIRECTORY=/run/" + p.name}
	if _, err := run(env, "go", "run", "-buildvcs=false", "-tags", "docs", "-ldflags", "-X main.version="+src.version.text,
		"./cmd/"+p.name, dir, "packaging/man"); err != nil {
		return err
	}
	notices, err := p.thirdParty("linux")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "THIRD-PARTY"), notices, 0o644)
}

// compile makes the program of one system and architecture.
func (p *program) compile(src *source, system string, a arch, binary string) error {
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return err
	}
	env := []string{"CGO_ENABLED=0", "GOOS=" + system, "GOARCH=" + a.goarch, "GOARM=" + a.goarm, "GOFLAGS="}
	_, err := run(env, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -buildid= -X main.version="+src.version.text, "-o", binary, "./cmd/"+p.name)
	return err
}

// stage lays out the files of one architecture as they are installed.
func (p *program) stage(src *source, a arch, ini, common, stage string) error {
	if err := p.compile(src, "linux", a, filepath.Join(stage, p.binary)); err != nil {
		return err
	}
	t := tree{root: stage}
	for name, dst := range p.units {
		t.copy("packaging/systemd/"+name, dst)
	}
	for name, dst := range p.services {
		t.copy("packaging/"+name, dst)
	}
	t.copy(ini, "/usr/share/"+p.name+"/"+p.ini)
	p.stageDocuments(&t, common)
	if t.err != nil {
		return t.err
	}
	return t.settle(src)
}

func (p *program) stageDocuments(t *tree, common string) {
	pages, err := filepath.Glob(filepath.Join(common, "man[58]", "*"))
	t.note(err)
	for _, page := range pages {
		t.compress(page, "/usr/share/man/"+filepath.Base(filepath.Dir(page))+"/"+filepath.Base(page)+".gz")
	}
	completion := filepath.Join(common, "completion", p.name)
	t.copy(completion+".bash", "/usr/share/bash-completion/completions/"+p.name)
	t.copy(completion+".fish", "/usr/share/fish/vendor_completions.d/"+p.name+".fish")
	t.copy(completion+".zsh", "/usr/share/zsh/vendor-completions/_"+p.name)
	doc := "/usr/share/doc/" + p.name
	t.copy("packaging/doc/"+p.name+".copyright", doc+"/copyright")
	t.copy("LICENSE", doc+"/LICENSE")
	p.stageGuides(t, doc)
	t.compress("CHANGELOG.md", doc+"/changelog.gz")
	t.compress(filepath.Join(common, "THIRD-PARTY"), doc+"/THIRD-PARTY.gz")
	for _, name := range p.examples {
		t.copy(examplePath(name), doc+"/examples/"+path.Base(name))
	}
}

// tree is a tree of files that is being laid out; the first error stays.
type tree struct {
	root string
	err  error
}

func (t *tree) note(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *tree) copy(src, dst string) {
	data, err := os.ReadFile(src)
	t.note(err)
	t.write(dst, data)
}

// compress writes no name and no time into the gzip header, and takes the best level
// (Policy 12.1, 12.7).
func (t *tree) compress(src, dst string) {
	data, err := os.ReadFile(src)
	t.note(err)
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	t.note(err)
	if t.err != nil {
		return
	}
	_, err = w.Write(data)
	t.note(err)
	t.note(w.Close())
	t.write(dst, b.Bytes())
}

func (t *tree) write(dst string, data []byte) {
	if t.err != nil {
		return
	}
	path := filepath.Join(t.root, dst)
	if t.note(os.MkdirAll(filepath.Dir(path), 0o755)); t.err == nil {
		t.note(os.WriteFile(path, data, 0o644))
	}
}

// settle gives all files the modes and the time that they are packaged with, whatever
// the umask is.
func (t *tree) settle(src *source) error {
	var paths []string
	err := filepath.WalkDir(t.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if d.IsDir() || strings.Contains(filepath.ToSlash(path), "bin/") {
			mode = 0o755
		}
		paths = append(paths, path)
		return os.Chmod(path, mode)
	})
	if err != nil {
		return fmt.Errorf("lay out files: %w", err)
	}
	for i := len(paths) - 1; i >= 0; i-- { // a folder after what is in it
		if err := os.Chtimes(paths[i], src.time, src.time); err != nil {
			return err
		}
	}
	return nil
}

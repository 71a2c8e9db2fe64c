package main

import (
	"archive/tar"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// release is the number of the package within a version.
const release = "1"

// pack makes one package and returns its name and size.
func (p *program) pack(src *source, a arch, format, stage, out string) (string, int64, error) {
	before, err := names(out)
	if err != nil {
		return "", 0, err
	}
	switch format {
	case "tar":
		err = p.tarball(src, a, stage, out)
	case "sh":
		err = p.installScript(src, a, stage, out)
	default:
		err = p.nfpm(src, a, format, stage, out)
	}
	if err != nil {
		return "", 0, err
	}
	after, err := names(out)
	if err != nil {
		return "", 0, err
	}
	for name, size := range after {
		if _, old := before[name]; !old {
			return name, size, nil
		}
	}
	return "", 0, fmt.Errorf("no file was made")
}

func names(dir string) (map[string]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	list := make(map[string]int64)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		list[e.Name()] = info.Size()
	}
	return list, nil
}

// nfpm writes its configuration with the variables put in: it expands only some fields
// itself.
func (p *program) nfpm(src *source, a arch, format, stage, out string) error {
	template, err := os.ReadFile("packaging/nfpm/" + p.name + ".yaml")
	if err != nil {
		return err
	}
	changelog := stage + ".changelog.yaml"
	v, r := src.version.text, release
	if format == "apk" {
		v, r = src.version.apk, "r"+release
	}
	values := map[string]string{
		"STAGE": stage, "ARCH": a.nfpm, "VERSION": v, "RELEASE": r, "MTIME": src.time.Format(time.RFC3339),
		"MAINTAINER": cmp.Or(os.Getenv("MAINTAINER"), maintainer), "HOMEPAGE": cmp.Or(os.Getenv("HOMEPAGE"), homepage),
		"CHANGELOG": changelog, "APK_SCRIPTS": stage + ".apk",
	}
	if err := apkScripts(values["APK_SCRIPTS"], src.time); err != nil {
		return err
	}
	if values["DOCUMENTS"], err = p.documentEntries(stage, format); err != nil {
		return err
	}
	missing := ""
	text := os.Expand(string(template), func(name string) string {
		value, known := values[name]
		if !known {
			missing = name
		}
		return value
	})
	if missing != "" {
		return fmt.Errorf("packaging/nfpm/%s.yaml: unknown variable %s", p.name, missing)
	}
	note := fmt.Sprintf("- semver: %q\n  date: %s\n  packager: %q\n  deb:\n    urgency: medium\n    distributions: [unstable]\n  changes:\n    - note: \"See /usr/share/doc/%s/changelog.gz.\"\n",
		v+"-"+r, values["MTIME"], values["MAINTAINER"], p.name)
	if err := os.WriteFile(changelog, []byte(note), 0o644); err != nil {
		return err
	}
	file := stage + "." + format + ".yaml"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return err
	}
	_, err = run([]string{"SOURCE_DATE_EPOCH=" + src.epoch()}, "go", "tool", "nfpm", "package", "-f", file, "-p", format, "-t", out+"/")
	return err
}

// apkScripts copies the scripts of apk packages: nfpm stores the time of each file, which is not the same in two clones.
func apkScripts(dir string, when time.Time) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS("packaging/apk")); err != nil {
		return err
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		path := filepath.Join(dir, e.Name())
		if err := cmp.Or(os.Chmod(path, 0o755), os.Chtimes(path, when, when)); err != nil {
			return err
		}
	}
	return nil
}

// documentEntries lists pages and documents one by one: nfpm expands no pattern in what is
// marked as a document of an rpm.
func (p *program) documentEntries(stage, format string) (string, error) {
	kind := "file"
	if format == "rpm" {
		kind = "doc"
	}
	var b strings.Builder
	doc := "/usr/share/doc/" + p.name
	for _, pattern := range []string{"/usr/share/man/man?/*", doc + "/*.md", doc + "/*.gz", doc + "/examples/*"} {
		list, err := filepath.Glob(filepath.Join(stage, pattern))
		if err != nil || len(list) == 0 {
			return "", fmt.Errorf("nothing matches %s (%v)", pattern, err)
		}
		for _, file := range list {
			fmt.Fprintf(&b, "  - {src: %q, dst: %q, type: %s}\n", file, strings.TrimPrefix(file, stage), kind)
		}
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// tarball is the same tree for hosts without a packager, below one folder.
func (p *program) tarball(src *source, a arch, stage, out string) (err error) {
	f, err := os.Create(filepath.Join(out, p.archiveName(src, a)+".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, f.Close()) }()
	return archive(f, src, p.archiveName(src, a), stage)
}

// archiveName is the folder at the top of the archive: rpcapd-1.0.0-linux-amd64.
func (p *program) archiveName(src *source, a arch) string {
	return fmt.Sprintf("%s-%s-linux-%s", p.name, src.version.text, a.name())
}

// name is what people call the architecture in file names.
func (a arch) name() string { return cmp.Or(map[string]string{"arm": "armv7"}[a.goarch], a.goarch) }

// archive writes the tree of files as a compressed archive, below one folder.
func archive(f io.Writer, src *source, base, stage string) error {
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(z)
	err = filepath.WalkDir(stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(stage, path)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: filepath.ToSlash(filepath.Join(base, rel)), Mode: int64(info.Mode().Perm()), ModTime: src.time, Uname: "root", Gname: "root", Format: tar.FormatGNU}
		if d.IsDir() {
			h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
			return w.WriteHeader(h)
		}
		h.Typeflag, h.Size = tar.TypeReg, info.Size()
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close() // it was only read
		_, err = io.Copy(w, in)
		return err
	})
	return cmp.Or(err, w.Close(), z.Close())
}

package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	var o options
	var programs, arches, formats string
	flag.StringVar(&o.out, "o", "dist", "`folder` for the packages; what it held is replaced")
	flag.StringVar(&o.version, "version", "", "package this `version` instead of what git describe says")
	flag.StringVar(&programs, "programs", "", "only these `programs`, with commas")
	flag.StringVar(&arches, "arches", "", "only these `architectures`, as Go names them (arm is armv7)")
	flag.StringVar(&formats, "formats", "", "only these `formats` of deb, rpm, apk, tar, sh, bsd, msi, zip, and image, which only is made if it is named")
	flag.StringVar(&o.repository, "repository", "", "`prefix` of the names of images, such as registry.example.com/net")
	flag.StringVar(&o.ini, "ini", "", "ship this `file` as the configuration (of one program)")
	flag.Parse()
	o.programs, o.arches, o.formats = words(programs), words(arches), words(formats)
	if err := build(o); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

// options are the arguments; an empty list is no restriction.
type options struct {
	out, version, ini, repository string
	programs, arches, formats     []string
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func wanted(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

// build makes everything that is wanted below a folder of its own, and puts the result in
// the place of the old one at the end.
func build(o options) error {
	begun := time.Now()
	src, err := readSource(o.version)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "rpcapd-package")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) // nothing in it is wanted any more
	if err := os.MkdirAll(filepath.Join(work, "dist"), 0o755); err != nil {
		return err
	}
	fmt.Printf("package: version %s, files of %s\n", src.version.text, src.time.Format(time.RFC3339))
	for _, p := range programs {
		if !wanted(o.programs, p.name) {
			continue
		}
		if err := p.build(src, o, work); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	n, err := publish(filepath.Join(work, "dist"), o.out)
	if err != nil {
		return err
	}
	fmt.Printf("package: %d files in %s, %s\n", n, o.out, time.Since(begun).Round(time.Second))
	return nil
}

// build makes the packages of one program.
func (p *program) build(src *source, o options, work string) error {
	common := filepath.Join(work, p.name)
	if slices.Contains(o.formats, "image") {
		if err := p.buildImage(src, o, work); err != nil {
			return fmt.Errorf("image: %w", err)
		}
		if len(o.formats) == 1 {
			return nil
		}
	}
	fmt.Printf("package: %s: manual pages, completion, licences\n", p.name)
	if err := p.documents(src, common); err != nil {
		return err
	}
	for _, a := range p.arches {
		if !wanted(o.arches, a.goarch) {
			continue
		}
		stage := filepath.Join(work, p.name+"-"+a.goarch)
		if err := p.stage(src, a, cmp.Or(o.ini, "packaging/ini/"+p.ini), common, stage); err != nil {
			return fmt.Errorf("%s: %w", a.goarch, err)
		}
		for _, format := range []string{"deb", "rpm", "apk", "tar", "sh"} {
			if !wanted(o.formats, format) || format == "sh" && p.installer == "" {
				continue
			}
			name, size, err := p.pack(src, a, format, stage, filepath.Join(work, "dist"))
			if err != nil {
				return fmt.Errorf("%s of %s: %w", format, a.goarch, err)
			}
			fmt.Printf("package: %-52s %8d bytes\n", name, size)
		}
	}
	if err := p.buildSystems(src, o, common, work); err != nil {
		return err
	}
	return p.buildWindows(src, o, work)
}

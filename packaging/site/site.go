package main

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rpcapd/packaging/page"
)

//go:embed style.css
var style []byte

//go:embed page.html.tmpl
var layoutText string

var layout = template.Must(template.New("page").Parse(layoutText))

// site is what the pages have in common.
type site struct {
	repository string
	version    string
	pages      map[string]*page.Page // by path in the repository
	nav        []section
	order      []entry           // the entries of nav, and those in no section, once each
	files      map[string]string // other files that pages link to: path in the repository, path in the site
}

// index is the page that begins the site and gives its order.
const index = "docs/README.md"

// build writes the site of a repository into a folder, and counts its pages.
func build(repository, out, version string) (int, error) {
	s := &site{repository: repository, version: version, pages: map[string]*page.Page{}, files: map[string]string{}}
	names, err := page.Names(repository)
	if err != nil {
		return 0, err
	}
	for _, name := range append(names, "CHANGELOG.md") {
		if s.pages[name], err = page.Read(repository, name); err != nil {
			return 0, err
		}
	}
	if s.pages[index] == nil {
		return 0, errors.New(index + ", the index, is missing")
	}
	s.navigate(append(names, "CHANGELOG.md"))
	written := map[string][]byte{"style.css": style}
	for at, e := range s.order {
		if written[addressOf(e.Name)], err = s.render(at); err != nil {
			return 0, err
		}
	}
	for from, to := range s.files {
		if written[to], err = os.ReadFile(filepath.Join(repository, filepath.FromSlash(from))); err != nil {
			return 0, fmt.Errorf("copy a file that a page links to: %w", err)
		}
	}
	return len(s.order), replace(out, written)
}

// marker is in the folder of a site, so that no other folder is emptied by mistake.
const marker = "style.css"

// replace makes a folder have these files and no others.
func replace(out string, files map[string][]byte) error {
	if list, err := os.ReadDir(out); err == nil && len(list) > 0 {
		if _, err := os.Stat(filepath.Join(out, marker)); err != nil {
			return fmt.Errorf("%s has files that are not of a site: choose another folder", out)
		}
	}
	if err := os.RemoveAll(out); err != nil {
		return fmt.Errorf("empty the folder of the site: %w", err)
	}
	for name, content := range files {
		file := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("write site: %w", err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return fmt.Errorf("write site: %w", err)
		}
	}
	return nil
}

// addressOf is where a page is in the site: docs/consumers/zeek.md is consumers/zeek.html, docs/README.md index.html.
func addressOf(name string) string {
	switch name {
	case index:
		return "index.html"
	case "README.md":
		return "overview.html"
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "docs/"), path.Ext(name)))
	if path.Base(name) == "readme" {
		name = path.Join(path.Dir(name), "index")
	}
	return name + ".html"
}

// relative is the way from one file of the site to another.
func relative(from, to string) string {
	return strings.Repeat("../", strings.Count(from, "/")) + to
}

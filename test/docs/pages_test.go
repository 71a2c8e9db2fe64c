package docs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rpcapd/packaging/page"
)

const repository = "../.."

func pages(t *testing.T) []*page.Page {
	t.Helper()
	list, err := page.All(repository)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("only %d pages were found", len(list))
	}
	return list
}

// TestTags: each block says what it is and how it is checked.
func TestTags(t *testing.T) {
	for _, p := range pages(t) {
		for _, b := range p.Blocks {
			switch {
			case b.Indented:
				t.Errorf("%s: a block is indented by four: put it between fences, with its language and tag", b.Where())
			case b.Wrong != "":
				t.Errorf("%s: %s", b.Where(), b.Wrong)
			}
		}
	}
}

// TestLinks: every link within the repository leads to something, and every anchor to a heading.
func TestLinks(t *testing.T) {
	list := pages(t)
	changes, err := page.Read(repository, "CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*page.Page{}
	for _, p := range append(list, changes) {
		known[p.Name] = p
	}
	links := 0
	for _, p := range append(list, changes) {
		for _, l := range p.Links {
			name, anchor, outside := l.Local(p.Name)
			if outside {
				continue
			}
			links++
			if name == "" {
				name = p.Name
			}
			if strings.HasPrefix(name, "..") {
				t.Errorf("%s:%d: link %q leads out of the repository", p.Name, l.Line, l.To)
				continue
			}
			if _, err := os.Stat(filepath.Join(repository, filepath.FromSlash(name))); err != nil {
				t.Errorf("%s:%d: link %q: no such file", p.Name, l.Line, l.To)
				continue
			}
			to := known[name]
			if anchor == "" || to == nil {
				continue
			}
			if !slices.ContainsFunc(to.Headings, func(h page.Heading) bool { return h.Anchor == anchor }) {
				t.Errorf("%s:%d: link %q: %s has no such heading", p.Name, l.Line, l.To, name)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were found", links)
	}
}

// TestIndex: the index leads to every page of docs, so that no page is lost.
func TestIndex(t *testing.T) {
	list := pages(t)
	i := slices.IndexFunc(list, func(p *page.Page) bool { return p.Name == "docs/README.md" })
	if i < 0 {
		t.Fatal("docs/README.md, the index, is not there")
	}
	linked := map[string]bool{"docs/README.md": true}
	for _, l := range list[i].Links {
		name, _, _ := l.Local("docs/README.md")
		linked[name] = true
	}
	for _, p := range list {
		if strings.HasPrefix(p.Name, "docs/") && !linked[p.Name] {
			t.Errorf("docs/README.md, the index, has no link to %s", p.Name)
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"html/template"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"

	"rpcapd/packaging/page"
)

// item is an entry as one page shows it.
type item struct {
	Title   string
	Address string
	Here    bool
}

// menu is a section as one page shows it.
type menu struct {
	Title string
	Items []item
}

// view is what the layout gets.
type view struct {
	Title          string
	Top            string // the way to the folder of the site
	Home           item
	Menus          []menu
	Contents       []page.Heading
	Body           template.HTML
	Previous, Next *item
	Source         string
	Version        string
}

// render makes the page at a place of the order.
func (s *site) render(at int) ([]byte, error) {
	name := s.order[at].Name
	p := s.pages[name]
	if err := s.relink(p); err != nil {
		return nil, err
	}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(&nodes{page: p}, 100))))
	var body bytes.Buffer
	if err := md.Renderer().Render(&body, p.Source, p.Root); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	here := addressOf(name)
	show := func(e entry) item {
		return item{Title: e.Title, Address: relative(here, addressOf(e.Name)), Here: e.Name == name}
	}
	v := view{Title: p.Title(), Top: relative(here, ""), Home: show(s.order[0]), Body: template.HTML(body.String()), Source: name, Version: s.version}
	for _, sec := range s.nav {
		m := menu{Title: sec.Title}
		for _, e := range sec.Entries {
			m.Items = append(m.Items, show(e))
		}
		v.Menus = append(v.Menus, m)
	}
	for _, h := range p.Headings {
		if h.Level == 2 {
			v.Contents = append(v.Contents, h)
		}
	}
	if at > 0 {
		i := show(s.order[at-1])
		v.Previous = &i
	}
	if at+1 < len(s.order) {
		i := show(s.order[at+1])
		v.Next = &i
	}
	var b bytes.Buffer
	if err := layout.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("lay out %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// relink has the links of a page lead to what is in the site.
func (s *site) relink(p *page.Page) error {
	return ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		var err error
		switch n := n.(type) {
		case *ast.Link:
			n.Destination, err = s.destination(p.Name, n.Destination)
		case *ast.Image:
			n.Destination, err = s.destination(p.Name, n.Destination)
		}
		return ast.WalkContinue, err
	})
}

func (s *site) destination(from string, to []byte) ([]byte, error) {
	name, anchor, outside := page.Link{To: string(to)}.Local(from)
	if outside || name == "" {
		return to, nil
	}
	here := addressOf(from)
	if s.pages[name] != nil {
		address := relative(here, addressOf(name))
		if anchor != "" {
			address += "#" + anchor
		}
		return []byte(address), nil
	}
	info, err := os.Stat(filepath.Join(s.repository, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("%s: link %q leads nowhere: %w", from, to, err)
	}
	if info.IsDir() {
		return nil, nil // shown without a link
	}
	switch path.Ext(name) {
	case ".png", ".svg":
		s.files[name] = name
	default: // a browser shows it as text
		s.files[name] = "files/" + name + ".txt"
	}
	return []byte(relative(here, s.files[name])), nil
}

// comment says where in a line of a language a comment begins, or -1.
func comment(language, line string) int {
	switch {
	case language == page.Text || language == "go" || language == "json" || language == "bat":
		return -1
	case strings.HasPrefix(strings.TrimLeft(line, " "), "#"):
		return len(line) - len(strings.TrimLeft(line, " "))
	}
	if at := strings.Index(line, "  # "); at >= 0 {
		return at + 2
	}
	return -1
}

package main

import (
	"slices"

	"github.com/yuin/goldmark/ast"
	tables "github.com/yuin/goldmark/extension/ast"

	"rpcapd/packaging/page"
)

// entry is a page in the navigation.
type entry struct {
	Name  string // path in the repository
	Title string
}

// section is a part of the navigation.
type section struct {
	Title   string
	Entries []entry
}

// navigate reads the index: each heading of the second level is a section, and the first link of each row of a table is an
// entry. Pages that the index does not have come last, without a place in the navigation.
func (s *site) navigate(names []string) {
	p := s.pages[index]
	s.order = []entry{{index, "Start"}}
	headings := p.Headings
	seen := map[string]bool{index: true}
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // no function here fails
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if h := headings[0]; h.Level == 2 {
				s.nav = append(s.nav, section{Title: h.Text})
			}
			headings = headings[1:]
		case *tables.TableRow:
			l, isLink := n.FirstChild().FirstChild().(*ast.Link)
			if !isLink || len(s.nav) == 0 {
				return ast.WalkSkipChildren, nil
			}
			name, _, _ := page.Link{To: string(l.Destination)}.Local(index)
			if s.pages[name] == nil || seen[name] {
				return ast.WalkSkipChildren, nil
			}
			seen[name] = true
			e := entry{name, page.PlainText(l, p.Source)}
			s.order = append(s.order, e)
			last := &s.nav[len(s.nav)-1]
			last.Entries = append(last.Entries, e)
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	slices.Sort(names)
	for _, name := range names {
		if !seen[name] {
			s.order = append(s.order, entry{name, s.pages[name].Title()})
		}
	}
}

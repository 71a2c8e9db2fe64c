package page

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Markdown is the dialect: CommonMark with tables and the other extensions of GitHub.
var Markdown = goldmark.New(goldmark.WithExtensions(extension.GFM))

// Page is one file of the documentation.
type Page struct {
	Name     string // path in the repository, with slashes
	Source   []byte
	Root     ast.Node // its headings have the attribute id
	Headings []Heading
	Links    []Link
	Blocks   []Block
}

// Names lists the pages of a repository: README.md, CONTRIBUTING.md, and all of docs and deploy.
func Names(repository string) ([]string, error) {
	list := []string{"README.md", "CONTRIBUTING.md"}
	for _, folder := range []string{"docs", "deploy"} {
		err := filepath.WalkDir(filepath.Join(repository, folder), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".md" {
				return err
			}
			relative, err := filepath.Rel(repository, name)
			list = append(list, filepath.ToSlash(relative))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list pages: %w", err)
		}
	}
	slices.Sort(list)
	return list, nil
}

// All reads every page of a repository.
func All(repository string) ([]*Page, error) {
	names, err := Names(repository)
	if err != nil {
		return nil, err
	}
	list := make([]*Page, 0, len(names))
	for _, name := range names {
		p, err := Read(repository, name)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Read reads one page; name is its path in the repository.
func Read(repository, name string) (*Page, error) {
	source, err := os.ReadFile(filepath.Join(repository, filepath.FromSlash(name)))
	if err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	return Parse(name, source), nil
}

// Parse takes a page apart.
func Parse(name string, source []byte) *Page {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	p := &Page{Name: name, Source: source, Root: Markdown.Parser().Parse(text.NewReader(source))}
	anchors := anchorNames{}
	line := 1
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // no function here fails
		if !entering {
			return ast.WalkContinue, nil
		}
		if n.Type() == ast.TypeBlock && n.Lines().Len() > 0 {
			line = p.line(n.Lines().At(0).Start)
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.heading(n, line, anchors)
		case *ast.Link:
			p.Links = append(p.Links, Link{To: string(n.Destination), Line: line})
		case *ast.Image:
			p.Links = append(p.Links, Link{To: string(n.Destination), Line: line})
		case *ast.FencedCodeBlock:
			p.fenced(n)
		case *ast.CodeBlock:
			p.Blocks = append(p.Blocks, Block{Page: name, Line: line, Text: string(n.Lines().Value(source)), Indented: true})
		}
		return ast.WalkContinue, nil
	})
	return p
}

// line is the number of the line in which a byte is.
func (p *Page) line(at int) int { return 1 + bytes.Count(p.Source[:at], []byte("\n")) }

// Title is the text of the first heading, or the name without one.
func (p *Page) Title() string {
	if len(p.Headings) == 0 {
		return p.Name
	}
	return p.Headings[0].Text
}

// Link is a link or a picture.
type Link struct {
	To   string
	Line int // of the paragraph, table row or heading
}

// Local splits a link to something in the repository into the path there and the anchor; outside says that it leads elsewhere.
// An empty path is the page itself.
func (l Link) Local(from string) (name, anchor string, outside bool) {
	name, anchor, _ = strings.Cut(l.To, "#")
	if strings.Contains(name, ":") || strings.HasPrefix(name, "//") {
		return "", "", true
	}
	if name != "" {
		name = path.Join(path.Dir(from), name)
	}
	return name, anchor, false
}

package main

import (
	"html"
	"strings"

	"github.com/yuin/goldmark/ast"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"

	"rpcapd/packaging/page"
)

// nodes writes what goldmark would write differently: headings with a link to themselves, tables that scroll, blocks of code
// with a mark for their tag, and links that lead to nothing in the site.
type nodes struct {
	page *page.Page
	next int // the block that comes next
}

// RegisterFuncs is of renderer.NodeRenderer.
func (r *nodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindHeading, r.heading)
	reg.Register(ast.KindFencedCodeBlock, r.code)
	reg.Register(ast.KindLink, r.link)
	reg.Register(tables.KindTable, r.table)
}

func (r *nodes) heading(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	h := n.(*ast.Heading)
	level := string(rune('0' + h.Level))
	id, _ := h.AttributeString("id")
	anchor := html.EscapeString(string(id.([]byte)))
	if entering {
		_, err := w.WriteString("<h" + level + ` id="` + anchor + `">`)
		return ast.WalkContinue, err
	}
	_, err := w.WriteString(` <a class="anchor" href="#` + anchor + `" aria-label="Link to this section">#</a></h` + level + ">\n")
	return ast.WalkContinue, err
}

func (r *nodes) link(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	to := n.(*ast.Link).Destination
	if len(to) == 0 {
		return ast.WalkContinue, nil
	}
	text := "</a>"
	if entering {
		text = `<a href="` + html.EscapeString(string(util.URLEscape(to, true))) + `">`
	}
	_, err := w.WriteString(text)
	return ast.WalkContinue, err
}

func (r *nodes) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	text := "</table></div>\n"
	if entering {
		text = `<div class="table" tabindex="0"><table>` + "\n"
	}
	_, err := w.WriteString(text)
	return ast.WalkContinue, err
}

// mark is what readers see of a tag.
func mark(b *page.Block) string {
	switch b.Tag {
	case page.Run, page.RunLong:
		return "run by a test"
	case page.Parsed:
		return "checked by a test"
	case page.Untested:
		return "untested: " + b.Reason
	}
	return ""
}

func (r *nodes) code(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	b := &r.page.Blocks[r.next]
	r.next++
	var out strings.Builder
	out.WriteString(`<div class="code"><pre tabindex="0"><code>`)
	for line := range strings.Lines(b.Text) {
		if typed, prompt := strings.CutPrefix(line, "$ "); prompt && b.Language == "console" {
			out.WriteString(`<span class="prompt">$ </span>`) // not selected, and so not copied
			line = typed
		}
		at := comment(b.Language, line)
		if at < 0 {
			out.WriteString(html.EscapeString(line))
			continue
		}
		out.WriteString(html.EscapeString(line[:at]) + `<span class="comment">` + html.EscapeString(strings.TrimSuffix(line[at:], "\n")) + "</span>\n")
	}
	out.WriteString("</code></pre>")
	if m := mark(b); m != "" {
		out.WriteString(`<p class="mark">` + html.EscapeString(m) + "</p>")
	}
	out.WriteString("</div>\n")
	_, err := w.WriteString(out.String())
	return ast.WalkSkipChildren, err
}

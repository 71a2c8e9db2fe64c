package page

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
)

// Heading is a heading with the anchor that GitHub gives it.
type Heading struct {
	Level  int // 1 to 6
	Text   string
	Anchor string
	Line   int
}

// anchorNames counts how often a page has had an anchor: the second one gets "-1".
type anchorNames map[string]int

func (p *Page) heading(n *ast.Heading, line int, names anchorNames) {
	h := Heading{Level: n.Level, Text: PlainText(n, p.Source), Line: line}
	h.Anchor = Anchor(h.Text)
	times := names[h.Anchor]
	names[h.Anchor]++
	if times > 0 {
		h.Anchor += "-" + strconv.Itoa(times)
	}
	n.SetAttributeString("id", []byte(h.Anchor))
	p.Headings = append(p.Headings, h)
}

// Anchor is what GitHub makes of the text of a heading: small letters, blanks as hyphens, no punctuation.
func Anchor(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}

// PlainText is the text of a node without its markup.
func PlainText(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) { // no function here fails
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Value(source))
			if n.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

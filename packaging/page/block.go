package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// Tag says how a block is checked.
type Tag int

// How a block is checked.
const (
	Untagged Tag = iota
	Run          // it is run
	RunLong      // it is run in make test-docs
	Parsed       // it is parsed
	Untested     // it is not, for the block's Reason
)

// Block is a block of code.
type Block struct {
	Page     string
	Line     int // of its first line of text
	Language string
	Tag      Tag
	Reason   string // why it is untested
	Wrong    string // what is wrong about the words behind the fence, or ""
	Text     string
	Indented bool // by four, not between fences
}

// Where names the place of a block.
func (b *Block) Where() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// Text is the language of what nobody types: output, drawings, equations.
const Text = "text"

// languages are those that blocks may have, besides text.
var languages = []string{"sh", "console", "powershell", "bat", "ini", "yaml", "json", "hcl", "dockerfile", "go", "promql"}

func (p *Page) fenced(n *ast.FencedCodeBlock) {
	b := Block{Page: p.Name, Text: string(n.Lines().Value(p.Source))}
	info := ""
	if n.Info != nil {
		info = strings.TrimSpace(string(n.Info.Value(p.Source)))
		b.Line = p.line(n.Info.Segment.Start) + 1
	}
	if n.Lines().Len() > 0 {
		b.Line = p.line(n.Lines().At(0).Start)
	}
	var tag string
	b.Language, tag, _ = strings.Cut(info, " ")
	b.readTag(strings.TrimSpace(tag))
	p.Blocks = append(p.Blocks, b)
}

func (b *Block) readTag(tag string) {
	reason, untested := strings.CutPrefix(tag, "untested:")
	b.Reason = strings.TrimSpace(reason)
	switch {
	case b.Language == "":
		b.Wrong = "the block has no language: write it behind the fence; \"text\" for what nobody types"
		return
	case b.Language == Text && tag != "":
		b.Wrong = "a block of text needs no tag"
		return
	case b.Language == Text:
		return
	case !slices.Contains(languages, b.Language):
		b.Wrong = fmt.Sprintf("language %q is none of text, %s", b.Language, strings.Join(languages, ", "))
		return
	}
	switch {
	case tag == "run" && b.shell():
		b.Tag = Run
	case tag == "run long" && b.shell():
		b.Tag = RunLong
	case strings.HasPrefix(tag, "run"):
		b.Wrong = "only sh and console can be run, as \"run\" or \"run long\""
	case tag == "parse":
		b.Tag = Parsed
	case untested && len(b.Reason) >= 10:
		b.Tag = Untested
	case untested:
		b.Wrong = "\"untested:\" needs a reason of a few words behind it"
	case tag == "":
		b.Wrong = "the block has no tag: write run, parse, or \"untested: the reason\" behind the language"
	default:
		b.Wrong = fmt.Sprintf("tag %q is none of run, run long, parse, and \"untested: the reason\"", tag)
	}
	if b.Wrong != "" {
		b.Reason = ""
	}
}

// shell says that a block has command lines of a Unix shell.
func (b *Block) shell() bool { return b.Language == "sh" || b.Language == "console" }

// Script is what readers type of a block for a shell, with an empty line for each line that is output, so that the numbers
// of the lines are the same.
func (b *Block) Script() string {
	if b.Language != "console" {
		return b.Text
	}
	lines := strings.Split(b.Text, "\n")
	continued := false
	for i, line := range lines {
		typed, prompt := strings.CutPrefix(line, "$ ")
		if !prompt && !continued {
			lines[i] = ""
			continue
		}
		lines[i] = typed
		continued = strings.HasSuffix(typed, "\\")
	}
	return strings.Join(lines, "\n")
}

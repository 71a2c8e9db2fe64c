package page

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Command is one command line in a block.
type Command struct {
	Page  string
	Line  int
	Words []string // without quotes; what the shell would put in, such as $NAME, is there as it stands
}

// Where names the place of a command line.
func (c *Command) Where() string { return fmt.Sprintf("%s:%d", c.Page, c.Line) }

// Commands are the command lines of a block for a shell: all of a pipeline, of conditions, and of substitutions. The error
// names the line that the shell would not understand.
func (b *Block) Commands() (list []Command, err error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(b.Script()), "")
	if err != nil {
		var at syntax.ParseError
		if parse, ok := err.(syntax.ParseError); ok {
			at = parse
			return nil, fmt.Errorf("%s:%d: %s", b.Page, b.Line+int(at.Pos.Line())-1, at.Text)
		}
		return nil, fmt.Errorf("%s: %w", b.Where(), err)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			c := Command{Page: b.Page, Line: b.Line + int(call.Pos().Line()) - 1}
			for _, w := range call.Args {
				c.Words = append(c.Words, word(w))
			}
			list = append(list, c)
		}
		return true
	})
	return list, nil
}

// word is a word of the shell without its quotes.
func word(w *syntax.Word) string {
	var b strings.Builder
	for _, part := range w.Parts {
		write(&b, part)
	}
	return b.String()
}

func write(b *strings.Builder, part syntax.WordPart) {
	switch part := part.(type) {
	case *syntax.Lit:
		b.WriteString(strings.ReplaceAll(part.Value, "\\", ""))
	case *syntax.SglQuoted:
		b.WriteString(part.Value)
	case *syntax.DblQuoted:
		for _, p := range part.Parts {
			write(b, p)
		}
	default:
		_ = syntax.NewPrinter().Print(b, part) // into memory
	}
}

// before are programs that start the one named behind them, with the number of further words between.
var before = map[string]int{"sudo": 0, "exec": 0, "nohup": 0, "timeout": 1, "time": 0}

// Of are the arguments that a command line gives to a program: "ip netns exec ids rpcapd check" gives "check" to rpcapd.
func (c *Command) Of(program string) (args []string, found bool) {
	words := c.Words
	for len(words) > 0 {
		name := path.Base(words[0])
		skip, wrapper := before[name]
		switch {
		case name == program:
			return words[1:], true
		case name == "ip" && len(words) > 4 && slices.Equal(words[1:3], []string{"netns", "exec"}):
			words = words[4:]
		case wrapper && len(words) > skip:
			words = words[1+skip:]
		default:
			return nil, false
		}
	}
	return nil, false
}

// CommandsOf are the arguments of a program's command lines in all pages, but those of untested blocks. The errors are those of
// blocks that are no shell script.
func CommandsOf(pages []*Page, program string) (list []Command, err error) {
	for _, p := range pages {
		for i := range p.Blocks {
			b := &p.Blocks[i]
			if !b.shell() || b.Tag == Untested || b.Tag == Untagged {
				continue
			}
			commands, err := b.Commands()
			if err != nil {
				return nil, err
			}
			for _, c := range commands {
				if args, found := c.Of(program); found {
					c.Words = args
					list = append(list, c)
				}
			}
		}
	}
	return list, nil
}

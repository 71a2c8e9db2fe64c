package manpage

import (
	"fmt"
	"strings"
)

// roffReplacer writes characters that troff would take for its own, and those that
// readers with an 8-bit terminal lack, in troff's words (groff_char(7)).
var roffReplacer = strings.NewReplacer(
	`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`,
	"…", "...", "→", `\->`, "–", `\(en`,
)

// escape makes one line of text safe, also where it begins with a control character.
func escape(s string) string {
	s = roffReplacer.Replace(s)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

// quote makes an argument of a macro.
func quote(s string) string { return `"` + strings.ReplaceAll(escape(s), `"`, `""`) + `"` }

// text writes paragraphs, and indented lines as they stand.
func text(b *strings.Builder, long string) {
	var block []string
	parted := false // what follows begins a paragraph
	for _, line := range strings.Split(strings.TrimSpace(long), "\n") {
		switch {
		case strings.HasPrefix(line, "  "), strings.TrimSpace(line) == "" && block != nil:
			block = append(block, line)
			continue
		case strings.TrimSpace(line) == "":
			parted = true
			continue
		}
		if block != nil {
			b.WriteString(".PP\n")
			literal(b, block)
			block, parted = nil, true
		}
		if parted {
			b.WriteString(".PP\n")
			parted = false
		}
		fmt.Fprintf(b, "%s\n", escape(line))
	}
	if block != nil {
		b.WriteString(".PP\n")
		literal(b, block)
	}
}

// literal shows lines as they stand, without what the first of them is indented by.
func literal(b *strings.Builder, lines []string) {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], " "))
	b.WriteString(".RS 4\n.nf\n")
	for _, line := range lines {
		cut := min(indent, len(line)-len(strings.TrimLeft(line, " ")))
		if line = strings.TrimRight(line[cut:], " "); line == "" {
			line = `\&`
		} else {
			line = escape(line)
		}
		b.WriteString(line + "\n")
	}
	b.WriteString(".fi\n.RE\n")
}

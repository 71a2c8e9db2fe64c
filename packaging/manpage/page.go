package manpage

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// page is the whole page of one command.
func (p *Program) page(cmd *cobra.Command) string {
	var b strings.Builder
	name := pageName(cmd)
	fmt.Fprintf(&b, ".TH %s %s %s %s %s\n", quote(strings.ToUpper(name)), section,
		p.Date.Format("2006-01-02"), quote(p.Root.Name()+" "+p.Version), quote(p.Manual))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", escape(name), escape(lowerFirst(cmd.Short)))
	b.WriteString(".SH SYNOPSIS\n")
	synopsis(&b, cmd)
	b.WriteString(".SH DESCRIPTION\n")
	long := cmd.Long
	if long == "" {
		long = cmd.Short + "."
	}
	text(&b, long)
	if cmd == p.Root {
		commands(&b, cmd)
	}
	options(&b, cmd)
	if cmd.Example != "" {
		b.WriteString(".SH EXAMPLES\n")
		literal(&b, strings.Split(cmd.Example, "\n"))
	}
	if cmd == p.Root {
		b.WriteString(p.Extra)
	}
	p.seeAlso(&b, cmd)
	return b.String()
}

func synopsis(b *strings.Builder, cmd *cobra.Command) {
	path := escape(cmd.CommandPath())
	if cmd.Runnable() {
		rest := strings.TrimSpace(strings.TrimPrefix(cmd.UseLine(), cmd.CommandPath()))
		fmt.Fprintf(b, ".B %s\n", path)
		if rest != "" {
			fmt.Fprintf(b, "%s\n", escape(rest))
		}
	}
	if !cmd.HasAvailableSubCommands() {
		return
	}
	if cmd.Runnable() {
		b.WriteString(".br\n")
	}
	if cmd.HasParent() {
		var names []string
		for _, sub := range cmd.Commands() {
			names = append(names, sub.Name())
		}
		fmt.Fprintf(b, ".B %s\n%s\n", path, escape(strings.Join(names, " | ")))
		return
	}
	fmt.Fprintf(b, ".B %s\n.I command\n[flags]\n", path)
}

func commands(b *strings.Builder, cmd *cobra.Command) {
	b.WriteString(".SH COMMANDS\nEach has a page of its own.\n")
	for _, sub := range cmd.Commands() {
		if documented(sub) {
			fmt.Fprintf(b, ".TP\n.B %s\n%s.\n", escape(sub.Name()), escape(sub.Short))
		}
	}
}

func options(b *strings.Builder, cmd *cobra.Command) {
	if !cmd.HasAvailableLocalFlags() {
		return
	}
	b.WriteString(".SH OPTIONS\n")
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Deprecated != "" {
			return
		}
		option(b, f)
	})
}

// option is one flag as a tagged paragraph.
func option(b *strings.Builder, f *pflag.Flag) {
	value, usage := pflag.UnquoteUsage(f)
	head := `\fB` + escape("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		head = `\fB` + escape("-"+f.Shorthand) + `\fR, ` + head
	}
	switch {
	case value == "":
	case f.NoOptDefVal != "":
		head += `[=\fI` + escape(value) + `\fR]`
	default:
		head += ` \fI` + escape(value) + `\fR`
	}
	if d := f.DefValue; value != "" && d != "" && d != "0" && d != "[]" && d != "false" && !strings.Contains(usage, "default") {
		usage += " (default " + d + ")"
	}
	fmt.Fprintf(b, ".TP\n%s\n%s\n", head, escape(usage))
}

func (p *Program) seeAlso(b *strings.Builder, cmd *cobra.Command) {
	var list []string
	if cmd != p.Root {
		list = append(list, pageName(p.Root)+"("+section+")")
	}
	for _, sub := range cmd.Commands() {
		if documented(sub) {
			list = append(list, pageName(sub)+"("+section+")")
		}
	}
	list = append(list, p.SeeAlso...)
	b.WriteString(".SH SEE ALSO\n")
	for i, ref := range list {
		name, chapter, _ := strings.Cut(ref, "(")
		comma := ","
		if i == len(list)-1 {
			comma = ""
		}
		fmt.Fprintf(b, ".BR %s (%s%s\n", escape(name), chapter, comma)
	}
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// lowerFirst makes a title of a sentence, unless it begins with an abbreviation.
func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

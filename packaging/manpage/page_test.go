package manpage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func command() *cobra.Command {
	run := func(*cobra.Command, []string) {}
	root := &cobra.Command{
		Use: "prog", Short: "Do a thing", Run: run,
		Long:    "prog does 'it'.\n\nA block:\n\n  .first line\n\n    second \\ line\n\nAfter it.",
		Example: "  prog -x 3   three times",
	}
	root.Flags().IntP("times", "x", 2, "do it `N` times")
	root.Flags().Bool("dry", false, "do nothing")
	root.Flags().String("secret", "", "not for people")
	_ = root.Flags().MarkHidden("secret")
	root.AddCommand(&cobra.Command{Use: "sub THING", Short: "DNS of a thing", Run: run}, &cobra.Command{Use: "gone", Hidden: true, Run: run})
	return root
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	p := Program{Root: command(), Version: "1.2~rc1", Manual: "Things", Date: time.Unix(0, 0).UTC(), Extra: ".SH FILES\nnone\n", SeeAlso: []string{"prog.ini(5)"}}
	if err := Write(p, dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	page := read("man8/prog.8")
	for _, want := range []string{
		`.TH "PROG" 8 1970-01-01 "prog 1.2\(tirc1" "Things"` + "\n",
		".SH NAME\nprog \\- do a thing\n",
		"prog does \\(aqit\\(aq.\n.PP\nA block:\n.PP\n.RS 4\n.nf\n\\&.first line\n\\&\n  second \\e line\n.fi\n.RE\n.PP\nAfter it.\n",
		".TP\n\\fB\\-x\\fR, \\fB\\-\\-times\\fR \\fIN\\fR\ndo it N times (default 2)\n",
		".TP\n\\fB\\-\\-dry\\fR\ndo nothing\n",
		".TP\n.B sub\nDNS of a thing.\n",
		".SH FILES\nnone\n.SH SEE ALSO\n",
		".BR prog\\-sub (8),\n.BR prog.ini (5)\n",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
	for _, not := range []string{"secret", "gone"} {
		if strings.Contains(page, not) {
			t.Errorf("the page tells of %s", not)
		}
	}
	if sub := read("man8/prog-sub.8"); !strings.Contains(sub, "\\- DNS of a thing\n") || !strings.Contains(sub, ".BR prog (8),") {
		t.Errorf("page of the subcommand:\n%s", sub)
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if !strings.Contains(read("completion/prog."+shell), "prog") {
			t.Errorf("no completion for %s", shell)
		}
	}
	if list, err := os.ReadDir(filepath.Join(dir, "man8")); err != nil || len(list) != 3 { // prog, sub, completion
		t.Errorf("pages: %v, %v", list, err)
	}
}

// TestWritten: date and version are put into a page that is written by hand.
func TestWritten(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "prog.ini.5")
	for text, want := range map[string]string{
		".TH PROG.INI 5 \"\" prog \"Some things\"\n.SH NAME\n": ".TH PROG.INI 5 1970-01-01 \"prog 1\" \"Some things\"\n.SH NAME\n",
		".TH PROG.INI 5\n": "",
	} {
		if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		err := written(page, filepath.Join(dir, "man5"), "prog 1", time.Unix(0, 0).UTC())
		if want == "" {
			if err == nil {
				t.Error("a page without a place for the date was taken")
			}
			continue
		}
		if got, _ := os.ReadFile(filepath.Join(dir, "man5", "prog.ini.5")); err != nil || string(got) != want {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

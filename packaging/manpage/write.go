package manpage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Program is what the pages say of a program beside its command line.
type Program struct {
	Root    *cobra.Command
	Version string
	Manual  string    // the heading of the pages
	Date    time.Time // of the pages
	Extra   string    // man(7) text put before SEE ALSO of the program's own page
	SeeAlso []string  // further pages, as in "rpcapd.ini(5)"
}

// section of all pages: both programs are for administrators.
const section = "8"

// Main writes pages and completion below dir and ends the process. The folder with
// the .inc files is extras; the date comes from SOURCE_DATE_EPOCH (seconds), so that two
// builds of one source make the same pages.
func Main(root *cobra.Command, version, manual, dir, extras string, seeAlso ...string) {
	if err := generate(root, version, manual, dir, extras, seeAlso); err != nil {
		fmt.Fprintln(os.Stderr, "write manual pages:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func generate(root *cobra.Command, version, manual, dir, extras string, seeAlso []string) error {
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("read SOURCE_DATE_EPOCH: %w", err)
	}
	date := time.Unix(seconds, 0).UTC()
	if err := written(filepath.Join(extras, root.Name()+".ini.5"), filepath.Join(dir, "man5"), root.Name()+" "+version, date); err != nil {
		return err
	}
	extra, err := os.ReadFile(filepath.Join(extras, root.Name()+"."+section+".inc"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return Write(Program{
		Root: root, Version: version, Manual: manual, Date: date,
		Extra: string(extra), SeeAlso: seeAlso,
	}, dir)
}

// written copies a page that is written by hand, with date and version put in: they are
// the empty argument of .TH and the one behind it.
func written(page, dir, source string, date time.Time) error {
	data, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	head, rest, _ := strings.Cut(string(data), "\n")
	title, tail, found := strings.Cut(head, ` "" `)
	_, heading, _ := strings.Cut(tail, " ")
	if !found {
		return fmt.Errorf("%s: the first line is no .TH NAME 5 \"\" PROGRAM \"HEADING\"", page)
	}
	head = fmt.Sprintf("%s %s %s %s", title, date.Format("2006-01-02"), quote(source), heading)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, filepath.Base(page)), []byte(head+"\n"+rest), 0o644)
}

// Write makes man8 and completion below dir.
func Write(p Program, dir string) error {
	for _, sub := range []string{"man8", "completion"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	p.Root.InitDefaultHelpCmd()
	p.Root.InitDefaultCompletionCmd()
	if err := p.pages(p.Root, filepath.Join(dir, "man8")); err != nil {
		return err
	}
	return completion(p.Root, filepath.Join(dir, "completion"))
}

// pages writes the page of a command and of those below it.
func (p *Program) pages(cmd *cobra.Command, dir string) error {
	name := filepath.Join(dir, pageName(cmd)+"."+section)
	if err := os.WriteFile(name, []byte(p.page(cmd)), 0o644); err != nil {
		return err
	}
	for _, sub := range cmd.Commands() {
		if documented(sub) {
			if err := p.pages(sub, dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// documented leaves out what cobra brings along: help is on every page, and one page
// for completion tells of all shells.
func documented(cmd *cobra.Command) bool {
	return cmd.IsAvailableCommand() && cmd.Name() != "help" && (cmd.Parent() == nil || cmd.Parent().Name() != "completion")
}

func completion(root *cobra.Command, dir string) error {
	base := filepath.Join(dir, root.Name())
	if err := root.GenBashCompletionFileV2(base+".bash", true); err != nil {
		return err
	}
	if err := root.GenZshCompletionFile(base + ".zsh"); err != nil {
		return err
	}
	return root.GenFishCompletionFile(base+".fish", true)
}

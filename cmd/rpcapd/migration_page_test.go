package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"rpcapd/config"
)

// TestMigrationPage: docs/MIGRATION.md names each option and key of the C agent, and says of each what the program does with it.
func TestMigrationPage(t *testing.T) {
	text, err := os.ReadFile("../../docs/MIGRATION.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	row := regexp.MustCompile("^\\| (`-.*?) \\| (.*?) \\|")
	letter := regexp.MustCompile("`-([A-Za-z0-9])\\b")
	for line := range strings.Lines(string(text)) {
		if m := row.FindStringSubmatch(line); m != nil {
			for _, l := range letter.FindAllStringSubmatch(m[1], -1) {
				said[l[1]] = m[2]
			}
		}
	}
	inert := pflag.NewFlagSet("", pflag.ContinueOnError)
	newSettings("").defineInert(inert)
	root := (&app{defaultFile: defaultFile()}).rootCommand()
	for _, name := range strings.Split("b d h p 4 l n a s f v y z u g c e m k t S L i", " ") { // its getopt string
		f := root.Flags().ShorthandLookup(name)
		if name == "h" {
			root.InitDefaultHelpFlag()
			f = root.Flags().ShorthandLookup(name)
		}
		if f == nil {
			t.Errorf("-%s does not exist here", name)
			continue
		}
		want := "same"
		switch {
		case f.Hidden:
			want = "refused"
		case inert.ShorthandLookup(name) != nil:
			want = "no effect"
		}
		if said[name] != want {
			t.Errorf("-%s: the page says %q, want %q", name, said[name], want)
		}
		delete(said, name)
	}
	for name := range said {
		t.Errorf("-%s: the C agent has no such option", name)
	}
	for key, want := range map[string]string{"ActiveClient = a, 2003": "", "NullAuthPermit = YES": "", "PassiveClient = a": "no effect"} {
		name, _, _ := strings.Cut(key, " ")
		if _, problems := config.ParseAgent("x", []byte(key+"\n")); problems.Err() != nil || want != "" && (len(problems) == 0 || !strings.Contains(problems[0].String(), want)) {
			t.Errorf("%s: %v", key, problems)
		}
		if !strings.Contains(string(text), "| `"+name+"` | ") {
			t.Errorf("the page does not have the key %s", name)
		}
	}
}

package docs

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"rpcapd/packaging/page"
)

// TestMakeVerbs: each verb of make in the documentation exists, in a block and within a sentence.
func TestMakeVerbs(t *testing.T) {
	makefile, err := os.ReadFile(repository + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	verbs := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		verbs[string(m[1])] = true
	}
	list := pages(t)
	commands, err := page.CommandsOf(list, "make")
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	check := func(where string, words []string) {
		for _, w := range words {
			if strings.ContainsAny(w, "=$") || strings.HasPrefix(w, "-") {
				continue
			}
			used++
			if !verbs[w] {
				t.Errorf("%s: make %s: the Makefile has no such verb", where, w)
			}
		}
	}
	for _, c := range commands {
		check(c.Where(), c.Words)
	}
	inText := regexp.MustCompile("`make ([a-z][^`]*)`")
	for _, p := range list {
		for _, m := range inText.FindAllSubmatch(p.Source, -1) {
			check(p.Name, strings.Fields(string(m[1])))
		}
	}
	if used < 20 {
		t.Errorf("only %d uses were found", used)
	}
}

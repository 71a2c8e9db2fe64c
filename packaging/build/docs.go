package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// link is a link or a picture of Markdown: whether it is a picture, the text, the address without its place, the place.
var link = regexp.MustCompile(`(!?)\[([^\]]*)\]\(([^)\s#]*)(#[^)\s]*)?\)`)

// guides are the documents that both packages have beside README.md. They lie in one folder there.
func guides() ([]string, error) {
	var list []string
	for _, pattern := range []string{"docs/*.md", "docs/consumers/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// guideName is the name of a guide in the package, where README.md is the one of the repository.
func guideName(name string) string {
	if filepath.ToSlash(name) == "docs/README.md" {
		return "INDEX.md"
	}
	return filepath.Base(name)
}

// relink makes the links of a document of the repository right for the folder of the package. shipped has the files that
// are there, by where they are in the repository; a link to anything else becomes its text.
func relink(text, dir string, shipped map[string]string) string {
	return link.ReplaceAllStringFunc(text, func(found string) string {
		m := link.FindStringSubmatch(found)
		picture, label, address, place := m[1] != "", m[2], m[3], m[4]
		if address == "" || strings.Contains(address, ":") {
			return found // within the document, or elsewhere in the world
		}
		if to := shipped[path.Join(dir, address)]; to != "" {
			return m[1] + "[" + label + "](" + to + place + ")"
		}
		if picture {
			return "(picture: " + label + ")"
		}
		return label
	})
}

// shippedDocuments says where the files that documents may refer to lie in the package.
func (p *program) shippedDocuments(guides []string) map[string]string {
	shipped := map[string]string{"README.md": "README.md"}
	for _, name := range guides {
		shipped[filepath.ToSlash(name)] = guideName(name)
	}
	for _, name := range p.examples {
		shipped[examplePath(name)] = "examples/" + path.Base(name)
	}
	return shipped
}

// examplePath is where an example lies in the repository.
func examplePath(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return "packaging/doc/" + name
}

// stageGuides copies README.md and the guides, uncompressed so that their links can be followed.
func (p *program) stageGuides(t *tree, doc string) {
	list, err := guides()
	t.note(err)
	shipped := p.shippedDocuments(list)
	for _, name := range append([]string{"README.md"}, list...) {
		text, err := os.ReadFile(name)
		t.note(err)
		t.write(doc+"/"+guideName(name), []byte(relink(string(text), path.Dir(filepath.ToSlash(name)), shipped)))
	}
}

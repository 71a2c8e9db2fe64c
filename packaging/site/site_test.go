package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// files reads a folder.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	list := map[string][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		list[filepath.ToSlash(relative)], err = os.ReadFile(name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// parts are the ids and the addresses in a page.
func parts(t *testing.T, name string, text []byte) (ids map[string]bool, links, loads []string) {
	t.Helper()
	ids = map[string]bool{}
	root, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "iframe" || n.Data == "style") {
			t.Errorf("%s has a %s", name, n.Data)
		}
		for _, a := range n.Attr {
			switch {
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s has two elements with the id %q", name, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "href" && n.Data == "a":
				links = append(links, a.Val)
			case a.Key == "href" || a.Key == "src":
				loads = append(loads, a.Val)
			case strings.HasPrefix(a.Key, "on"):
				t.Errorf("%s has the attribute %s", name, a.Key)
			}
		}
	}
	return ids, links, loads
}

// TestSite: the site of the repository is whole, needs nothing from elsewhere, and comes out the same again.
func TestSite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "site")
	n, err := build("../..", dir, "1.0")
	if err != nil {
		t.Fatal(err)
	}
	list := files(t, dir)
	if n < 15 || list["index.html"] == nil || list["consumers/wireshark.html"] == nil {
		t.Fatalf("%d pages: %d files", n, len(list))
	}
	ids := map[string]map[string]bool{}
	links := map[string][]string{}
	for name, text := range list {
		if path.Ext(name) != ".html" {
			continue
		}
		var loads []string
		ids[name], links[name], loads = parts(t, name, text)
		if len(loads) == 0 {
			t.Errorf("%s has no style", name)
		}
		for _, to := range loads {
			if strings.Contains(to, ":") || list[path.Join(path.Dir(name), to)] == nil {
				t.Errorf("%s loads %s", name, to)
			}
		}
		for _, bad := range []string{"```", "untested:</", "| ---"} {
			if bytes.Contains(text, []byte(bad)) {
				t.Errorf("%s shows %q", name, bad)
			}
		}
	}
	for name, all := range links {
		for _, to := range all {
			file, anchor, _ := strings.Cut(to, "#")
			if strings.Contains(file, ":") {
				continue // the reader's own step into the world
			}
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if list[target] == nil || anchor != "" && !ids[target][anchor] {
				t.Errorf("%s links to %s, which is not there", name, to)
			}
		}
	}
	if _, err := build("../..", dir, "1.0"); err != nil { // over the first
		t.Fatal(err)
	}
	again := files(t, dir)
	if len(again) != len(list) {
		t.Errorf("%d files, then %d", len(list), len(again))
	}
	for name, text := range list {
		if !bytes.Equal(text, again[name]) {
			t.Errorf("%s is another the second time", name)
		}
	}
}

// TestSiteRefuses: a link that leads nowhere is refused, and so is a folder with other files.
func TestSiteRefuses(t *testing.T) {
	repository := t.TempDir()
	for name, text := range map[string]string{
		"README.md": "# R\n", "CONTRIBUTING.md": "# C\n", "CHANGELOG.md": "# L\n",
		"docs/README.md": "# D\n\n## One\n\n| a | b |\n|---|---|\n| [first](A.md) | x |\n", "docs/A.md": "# A <b>\n\n[x](B.md)\n", "deploy/x.yml": "a: 1\n",
	} {
		file := filepath.Join(repository, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "site")
	if _, err := build(repository, out, ""); err == nil || !strings.Contains(err.Error(), `docs/A.md: link "B.md" leads nowhere`) {
		t.Errorf("a wrong link: %v", err)
	}
	if err := os.WriteFile(filepath.Join(repository, "docs", "A.md"), []byte("# A <b>\n\n[x](../deploy/x.yml)\n\n```console parse\n$ a <b   # c\n```\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := build(repository, out, ""); err != nil {
		t.Fatal(err)
	}
	list := files(t, out)
	for _, want := range []string{`<a href="files/deploy/x.yml.txt">x</a>`, `<span class="prompt">$ </span>a &lt;b   <span class="comment"># c</span>`, "checked by a test", `aria-current="page">first</a>`} {
		if !bytes.Contains(list["a.html"], []byte(want)) {
			t.Errorf("%q is not in %s", want, list["a.html"])
		}
	}
	if string(list["files/deploy/x.yml.txt"]) != "a: 1\n" {
		t.Error("the file that a page links to is not in the site")
	}
	if _, err := build(repository, filepath.Join(repository, "docs"), ""); err == nil {
		t.Error("a folder with other files was emptied")
	}
}

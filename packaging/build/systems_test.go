package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func readPackaging(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestPropertyList: the file of launchd is a property list whose keys and values are what launchd.plist(5) asks for.
func TestPropertyList(t *testing.T) {
	d := xml.NewDecoder(strings.NewReader(readPackaging(t, "macos/rpcapd.plist")))
	var depth []string
	var key string
	values := make(map[string][]string) // of the outermost dictionary: element and text
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			depth = append(depth, e.Name.Local)
			if len(depth) == 3 && e.Name.Local != "key" {
				values[key] = append(values[key], e.Name.Local)
			}
		case xml.EndElement:
			depth = depth[:len(depth)-1]
		case xml.CharData:
			text := strings.TrimSpace(string(e))
			switch {
			case text == "":
			case len(depth) == 3 && depth[2] == "key":
				key = text
			case len(depth) >= 3:
				values[key] = append(values[key], text)
			}
		}
	}
	for key, want := range map[string][]string{
		"Label":            {"string", "rpcapd"},
		"ProgramArguments": {"array", "/usr/local/sbin/rpcapd", "-L", "-f", "/etc/rpcapd/rpcapd.ini"},
		"RunAtLoad":        {"true"},
		"KeepAlive":        {"true"},
		"ThrottleInterval": {"integer", "5"},
		"ExitTimeOut":      {"integer", "10"},
	} {
		if !slices.Equal(values[key], want) {
			t.Errorf("%s: %q, want %q", key, values[key], want)
		}
	}
	if values["SoftResourceLimits"][0] != "dict" || slices.Contains(values["ProgramArguments"], "-d") {
		t.Errorf("%q: launchd wants the program in the foreground", values)
	}
}

// TestInstallNotes: the files that the notes speak of are those that the archive has, and the notes say that nobody has run it.
func TestInstallNotes(t *testing.T) {
	for _, s := range systems {
		text := readPackaging(t, strings.ToLower(s.name)+"/INSTALL")
		for _, want := range []string{"@VERSION@", "@ARCH@", "/usr/local/share/rpcapd/rpcapd.ini", "nobody has run this package on " + s.name + " yet"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: INSTALL lacks %q", s.name, want)
			}
		}
		for name := range s.files {
			if _, err := os.Stat("../" + name); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestSystemArchive: the same bytes twice, whatever the clock says.
func TestSystemArchive(t *testing.T) {
	src := &source{}
	stage := t.TempDir()
	write(t, filepath.Join(stage, "INSTALL"), "text")
	var first, second bytes.Buffer
	for _, b := range []*bytes.Buffer{&first, &second} {
		if err := archive(b, src, "rpcapd-1-freebsd-amd64", stage); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(stage, "INSTALL"), src.time, src.time); err != nil {
			t.Fatal(err)
		}
	}
	if first.Len() == 0 || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives differ")
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

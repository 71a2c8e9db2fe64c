package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The operator's own options are merged, and none is lost without a trace; twice is as once.
func TestEditOptions(t *testing.T) {
	options := []string{"-t", "1400", "-4"}
	for text, want := range map[string]string{
		"":                                          "RPCAPD_OPTIONS=\"-t 1400 -4\"\n",
		"# a":                                       "# a\nRPCAPD_OPTIONS=\"-t 1400 -4\"\n",
		"RPCAPD_OPTIONS=\"\"\n#b\n":                 "RPCAPD_OPTIONS=\"-t 1400 -4\"\n#b\n",
		"RPCAPD_OPTIONS=\"-z 64M\"\n# b\nX=1\n":     "RPCAPD_OPTIONS=\"-z 64M -t 1400 -4\"\n# b\nX=1\n",
		"RPCAPD_OPTIONS=\"-t 1400 -c 3 -4\"\n":      "RPCAPD_OPTIONS=\"-t 1400 -c 3 -4\"\n",
		"RPCAPD_OPTIONS='-t1200 -c 3'\n":            "#RPCAPD_OPTIONS='-t1200 -c 3'\nRPCAPD_OPTIONS=\"-c 3 -t 1400 -4\"\n",
		"RPCAPD_OPTIONS=-4\nRPCAPD_OPTIONS=-S\n":    "RPCAPD_OPTIONS=-4\nRPCAPD_OPTIONS=\"-S -t 1400 -4\"\n",
		"#RPCAPD_OPTIONS=\"-z 64M\"\nOTHER=\"x\"\n": "#RPCAPD_OPTIONS=\"-z 64M\"\nOTHER=\"x\"\nRPCAPD_OPTIONS=\"-t 1400 -4\"\n",
	} {
		got, _, _ := editOptions(text, options)
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if again, _, kept := editOptions(got, options); again != got || kept {
			t.Errorf("%q: the second time %q", text, again)
		}
	}
}

// TestReadOptions: the file beside the ini has comments and one line of options, in whatever encoding Windows writes it.
func TestReadOptions(t *testing.T) {
	path := optionsFile(filepath.Join(t.TempDir(), "my rpcapd.ini"))
	if filepath.Base(path) != "my rpcapd.options" {
		t.Fatal(path)
	}
	if options, err := readOptions(path); options != nil || err != nil {
		t.Errorf("no file: %q, %v", options, err)
	}
	for text, want := range map[string][]string{
		"": nil, "# a\n\nRPCAPD_OPTIONS=\n": nil, "RPCAPD_OPTIONS=\"-z 64M\"\r\n": {"-z", "64M"}, "\xef\xbb\xbfRPCAPD_OPTIONS=-4": {"-4"},
		"RPCAPD_OPTIONS='--run-dir \"C:\\a b\" -4'\n":       {"--run-dir", `C:\a b`, "-4"},
		"RPCAPD_OPTIONS=\"-4\"\nRPCAPD_OPTIONS=\"-S\"\n":    {"-S"},
		"RPCAPD_OPTIONS=--run-dir \"a b\" --user \"c d\"\n": {"--run-dir", "a b", "--user", "c d"},
		"\xff\xfe" + wide("RPCAPD_OPTIONS=\"-t 1400\"\r\n"): {"-t", "1400"},
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readOptions(path); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("# options\n-z 64M\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readOptions(path); err == nil || !strings.HasPrefix(err.Error(), path+`:2: "-z 64M" is not understood`) {
		t.Error(err)
	}
}

// wide is a text in UTF-16, little endian.
func wide(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// TestSetOptions: what is set is read again, and what it replaces is kept as a comment.
func TestSetOptions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rpcapd.options")
	text, before := "# mine", ""
	for _, words := range [][]string{{"-z", "64M"}, {"-z", "64M"}, {"--run-dir", `C:\a b`, "-4"}, {"-4"}} {
		set, err := joinOptions(words)
		if err != nil {
			t.Fatal(err)
		}
		edited, kept := setOptions(text, set)
		if kept != (before != "" && before != set) || !strings.HasPrefix(edited, "# mine\n") {
			t.Errorf("%q: kept %v\n%s", words, kept, edited)
		}
		text, before = edited, set
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := readOptions(path); err != nil || !reflect.DeepEqual(got, words) {
			t.Errorf("%q, %v; want %q\n%s", got, err, words, text)
		}
	}
	if want := 2; strings.Count(text, "#RPCAPD_OPTIONS=") != want {
		t.Errorf("not %d comments:\n%s", want, text)
	}
	for _, bad := range []string{`a"b`, "a\nb", "it's"} {
		if set, err := joinOptions([]string{bad}); err == nil {
			t.Errorf("%q: %s", bad, set)
		}
	}
}

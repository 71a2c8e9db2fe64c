// Package imports checks who may import whom; docs/ARCHITECTURE.md explains it.
package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "rpcapd/"

// allowed lists, for each top-level folder, the folders of this module that its
// product code may import.
var allowed = map[string][]string{
	"rpcap":     {},
	"udpstr":    {},
	"iface":     {},
	"privilege": {},
	"udpsock":   {},
	"filter":    {"rpcap"},
	"config":    {"iface", "rpcap"},
	"capture":   {"filter", "iface", "rpcap", "udpstr"},
	"agent":     {"capture", "config", "filter", "iface", "rpcap", "udpsock", "udpstr"},
	"sensor":    {"config", "filter", "rpcap", "udpsock", "udpstr"},
	"cmd":       {"agent", "capture", "config", "iface", "privilege", "rpcap", "sensor", "udpsock"},
	"test":      {"test", "capture", "config", "filter", "iface", "rpcap", "udpsock", "udpstr"},
}

// pure packages know no clock, no goroutine, no logger, and only the standard library.
var pure = []string{"rpcap", "udpstr"}

// logging packages may import zap.
var logging = []string{"cmd", "agent", "sensor"}

type goPackage struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

func top(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return name
}

func TestImportRule(t *testing.T) {
	list := packages(t)
	if len(list) < 10 {
		t.Fatalf("only %d packages listed: the rule would check nothing", len(list))
	}
	for _, p := range list {
		from := top(p.ImportPath)
		may, known := allowed[from]
		if !known {
			t.Errorf("%s: folder %q is not in the import rule", p.ImportPath, from)
			continue
		}
		for _, imp := range p.Imports {
			switch {
			case strings.HasPrefix(imp, module):
				if to := top(imp); to != from && !slices.Contains(may, to) {
					t.Errorf("%s imports %s: %s may import %v", p.ImportPath, imp, from, may)
				}
			case strings.HasPrefix(imp, "go.uber.org/zap") && !slices.Contains(logging, from):
				t.Errorf("%s imports zap: only %v log", p.ImportPath, logging)
			case slices.Contains(pure, from) && strings.Contains(imp, "."):
				t.Errorf("%s imports %s: standard library only", p.ImportPath, imp)
			case slices.Contains(pure, from) && (imp == "log" || imp == "log/slog"):
				t.Errorf("%s imports %s: it does not log", p.ImportPath, imp)
			}
		}
	}
}

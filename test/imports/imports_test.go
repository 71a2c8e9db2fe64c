// Package imports checks who may import whom; docs/ARCHITECTURE.md explains it.
package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"rpcapd/test/netlab"
)

const module = "rpcapd/"

// allowed lists, for each top-level folder, the folders of this module that its
// product code may import.
var allowed = map[string][]string{
	"backoff":   {},
	"filelock":  {},
	"printable": {},
	"rpcap":     {"printable"},
	"prefetch":  {},
	"repeat":    {},
	"numbers":   {},
	"openflag":  {},
	"tlsfiles":  {},
	"udpstr":    {"prefetch"},
	"iface":     {"printable"},
	"privilege": {},
	"udpsock":   {},
	"savefile":  {"udpstr"},
	"filter":    {"rpcap"},
	"config":    {"iface", "openflag", "printable", "rpcap"},
	"capture":   {"filter", "iface", "prefetch", "printable", "rpcap", "savefile", "udpstr"},
	"agent":     {"backoff", "capture", "config", "filelock", "filter", "iface", "openflag", "printable", "repeat", "rpcap", "udpsock", "udpstr"},
	"sensor":    {"backoff", "config", "filelock", "filter", "numbers", "printable", "repeat", "rpcap", "savefile", "tlsfiles", "udpsock", "udpstr"},
	"doctor":    {"agent", "capture", "config", "filter", "iface", "numbers", "openflag", "printable", "privilege", "rpcap", "udpsock", "udpstr"},
	"cmd":       {"agent", "capture", "config", "doctor", "filter", "iface", "numbers", "openflag", "packaging", "printable", "privilege", "rpcap", "savefile", "sensor", "tlsfiles", "udpsock", "udpstr"},
	"packaging": {},
	"test":      {"test", "backoff", "capture", "config", "filter", "iface", "packaging", "printable", "rpcap", "udpsock", "udpstr"},
}

// pure packages know no clock, no goroutine, no logger, and only the standard library.
var pure = []string{"numbers", "prefetch", "printable", "rpcap", "savefile", "udpstr"}

// logging packages may import zap.
var logging = []string{"cmd", "agent", "sensor", "test"}

// systems are the ones whose files are looked at: each has its own.
var systems = []string{"linux", "windows", "darwin", "freebsd"}

type goPackage struct {
	ImportPath   string
	Dir          string
	GoFiles      []string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// packages lists the packages of the module as one system sees them.
func packages(t *testing.T, system string) []goPackage {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil { // as where a compiled test is run
		netlab.Missing(t, err.Error())
	}
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("%s: only %d packages listed: the rule would check nothing", system, len(list))
	}
	return list
}

// top is the top-level folder of a package of this module.
func top(path string) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, module), "/")
	return name
}

// violations are the imports of one package that the rule forbids. A package's tests
// may import what it may, and test besides.
func violations(from string, imports []string, inTest bool) (list []string) {
	may := allowed[from]
	for _, imp := range imports {
		inside := strings.HasPrefix(imp, module)
		external := !inside && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
		switch to := top(imp); {
		case inside && to != from && !slices.Contains(may, to) && !(inTest && to == "test"):
			list = append(list, imp+": it may import "+strings.Join(may, ", "))
		case strings.HasPrefix(imp, "go.uber.org/zap") && !slices.Contains(logging, from):
			list = append(list, imp+": only "+strings.Join(logging, ", ")+" log")
		case inTest || !slices.Contains(pure, from):
		case external:
			list = append(list, imp+": standard library only")
		case imp == "log" || imp == "log/slog":
			list = append(list, imp+": it does not log")
		}
	}
	return list
}

func TestImportRule(t *testing.T) {
	for _, system := range systems {
		for _, p := range packages(t, system) {
			from := top(p.ImportPath)
			if _, known := allowed[from]; !known {
				t.Errorf("%s: folder %q is not in the import rule", p.ImportPath, from)
				continue
			}
			for _, v := range slices.Concat(
				violations(from, p.Imports, false),
				violations(from, slices.Concat(p.TestImports, p.XTestImports), true),
			) {
				t.Errorf("%s (%s) imports %s", p.ImportPath, system, v)
			}
		}
	}
}

// TestRuleBites: the rule finds what it is there to find.
func TestRuleBites(t *testing.T) {
	for _, tc := range []struct {
		from, imports string
		inTest, bad   bool
	}{
		{"agent", "rpcapd/sensor", false, true},
		{"sensor", "rpcapd/agent", true, true},
		{"capture", "rpcapd/test/netlab", false, true},
		{"capture", "rpcapd/test/netlab", true, false},
		{"capture", "go.uber.org/zap", false, true},
		{"agent", "go.uber.org/zap/zapcore", false, false},
		{"rpcap", "golang.org/x/sys/unix", false, true},
		{"udpstr", "log/slog", false, true},
		{"udpstr", "encoding/binary", false, false},
		{"udpstr", "rpcapd/rpcap", false, true},
		{"config", "rpcapd/iface", false, false},
	} {
		if got := violations(tc.from, []string{tc.imports}, tc.inTest); (len(got) > 0) != tc.bad {
			t.Errorf("%s imports %s (test: %v): %v", tc.from, tc.imports, tc.inTest, got)
		}
	}
}

package simulator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"testing"
)

// The fleet is of use only as long as it comes back like real agents.
func TestBackoffIsThatOfTheAgent(t *testing.T) {
	theirs, ours := constants(t, "../../agent/tunables.go"), constants(t, "agent.go")
	for _, name := range []string{"backoffFirst", "backoffMax", "stableAfter"} {
		if theirs[name] == "" || theirs[name] != ours[name] {
			t.Errorf("%s: the agent has %q, the fleet %q", name, theirs[name], ours[name])
		}
	}
}

func parse(t *testing.T, file string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// constants returns the texts of the constants of a file.
func constants(t *testing.T, file string) map[string]string {
	t.Helper()
	m := make(map[string]string)
	ast.Inspect(parse(t, file), func(n ast.Node) bool {
		if s, ok := n.(*ast.ValueSpec); ok && len(s.Values) == len(s.Names) {
			for i := range s.Names {
				m[s.Names[i].Name] = types.ExprString(s.Values[i])
			}
		}
		return true
	})
	return m
}

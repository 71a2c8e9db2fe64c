package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An installation of the C agent is taken over, and a sensor that is named takes the place of its one.
func TestSetupFirstTakesOver(t *testing.T) {
	for sensor, want := range map[string]string{"": "ActiveClient = 10.0.0.3, 2003\n", "10.0.0.4, 2003": "#ActiveClient = 10.0.0.3, 2003\nActiveClient = 10.0.0.4, 2003\n"} {
		root := t.TempDir()
		old := filepath.Join(root, oldIni)
		if err := os.MkdirAll(filepath.Dir(old), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(old, []byte("ActiveClient = 10.0.0.3, 2003\nNullAuthPermit = YES\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "rpcapd.ini")
		args := []string{"setup", "--first", "--root", root, "-f", file}
		if sensor != "" {
			args = append(args, "--sensor", sensor)
		}
		code, out, errs, _ := cli(t, args...)
		text, err := os.ReadFile(file)
		if code != 0 || err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%q: exit %d, %v, %s%s\n%s", sensor, code, err, out, errs, text)
		}
	}
}

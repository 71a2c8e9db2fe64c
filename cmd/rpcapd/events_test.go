package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestEvents: each number is given once, and each message is one that the agent logs.
func TestEvents(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"*.go", "../../agent/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if name == "events.go" || strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	seen := make(map[uint32]bool)
	own := map[string]string{eventNotStarted: "eventNotStarted", eventCrashed: "eventCrashed", eventStuck: "eventStuck", eventSleeps: "eventSleeps", eventWakes: "eventWakes"}
	for _, e := range events {
		if e.ID < 10 || e.ID > 1000 || seen[e.ID] {
			t.Errorf("%q: number %d is out of range or given twice", e.Message, e.ID)
		}
		seen[e.ID] = true
		want := `"` + e.Message
		if name := own[e.Message]; name != "" {
			want = name
		}
		if !strings.Contains(source.String(), want) {
			t.Errorf("nothing logs %q", e.Message)
		}
	}
}

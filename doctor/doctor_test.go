package doctor

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRun: results are in the order of the checks, a check that does not end is given up, and what is found is fit for a terminal.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		defer close(stuck)
		checks := []Check{
			{Name: "slow", Run: One(func(context.Context) Result { time.Sleep(time.Second); return OK("slow") })},
			{Name: "stuck", Limit: 2 * time.Second, Run: One(func(context.Context) Result { <-stuck; return OK("never") })},
			{Name: "bad", Run: func(context.Context) []Result {
				return []Result{Failed("seen\x1b[31m", "means", "cure").About("one"), Warning("w", "m", "c")}
			}},
		}
		begun := time.Now()
		var calls []string
		var r Report
		r.Add(Run(t.Context(), checks, func(list []Result) { calls = append(calls, list[0].Check) }))
		if took := time.Since(begun); took != 2*time.Second+grace {
			t.Errorf("took %v", took)
		}
		if got := strings.Join(calls, " "); got != "slow stuck bad" || r.Summary != (Summary{OK: 1, Warnings: 1, Failed: 1, NotChecked: 1}) {
			t.Errorf("%s, %+v", got, r.Summary)
		}
		if x := r.Results[2]; x.Check != "bad" || x.Subject != "one" || strings.Contains(x.Seen, "\x1b") {
			t.Errorf("%+v", x)
		}
		if x := r.Results[1]; x.State != StateNotChecked || !strings.Contains(x.Seen, "2s") {
			t.Errorf("%+v", x)
		}
	})
}

func TestSelect(t *testing.T) {
	checks := []Check{{Name: "a"}, {Name: "b"}, {Name: "c"}}
	if list, err := Select(checks, []string{"c", "a", "c"}); err != nil || strings.Join(Names(list), "") != "ca" {
		t.Errorf("%v, %v", Names(list), err)
	}
	if _, err := Select(checks, []string{"x"}); err == nil || !strings.Contains(err.Error(), "a, b, c") {
		t.Errorf("%v", err)
	}
}

// TestJSON: the members of the report.
func TestJSON(t *testing.T) {
	r := Report{Results: []Result{}}
	r.Add([]Result{Failed("s", "m", "c")})
	b, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"program", "version", "host", "system", "user", "time", "results", "summary"} {
		if _, ok := m[name]; !ok {
			t.Errorf("no %s in %s", name, b)
		}
	}
	result := m["results"].([]any)[0].(map[string]any)
	for _, name := range []string{"check", "subject", "result", "seen", "means", "cure"} {
		if _, ok := result[name]; !ok {
			t.Errorf("no %s in %s", name, b)
		}
	}
}

// TestArchive: only its owner can read it, it replaces nothing, and it has what was given.
func TestArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.tar.gz")
	files := []File{{"one.txt", []byte("1")}, JSONFile("two.json", map[string]int{"n": 2})}
	if err := WriteArchive(path, "folder", files, time.Now()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := WriteArchive(path, "folder", files, time.Now()); err == nil || !strings.Contains(err.Error(), "already there") {
		t.Errorf("a second one: %v", err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
	}
	if got := strings.Join(names, " "); got != "folder/one.txt folder/two.json" {
		t.Errorf("%s", got)
	}
}

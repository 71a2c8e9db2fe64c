package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// thirdParty returns the licences of what is linked into a program of a system: they ask to be
// passed on with it.
func (p *program) thirdParty(system string) ([]byte, error) {
	out, err := run([]string{"GOOS=" + system, "GOARCH=amd64", "CGO_ENABLED=0"}, "go", "list", "-deps",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}", "./cmd/"+p.name)
	if err != nil {
		return nil, err
	}
	root, err := run(nil, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(out, "\n")
	slices.Sort(lines)
	lines = append([]string{"Go standard library " + root}, slices.Compact(lines)...)
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s contains the following software, each under its own terms.\n", p.name)
	for _, line := range lines {
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			continue
		}
		name, dir := line[:at], line[at+1:]
		list, err := filepath.Glob(filepath.Join(dir, "LICEN[CS]E*"))
		if err != nil || len(list) == 0 {
			return nil, fmt.Errorf("find licence of %s in %s: %v", name, dir, err)
		}
		for _, file := range list {
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&b, "\n%s\n%s, %s\n\n%s", strings.Repeat("=", 70), name, filepath.Base(file), text)
		}
	}
	return b.Bytes(), nil
}

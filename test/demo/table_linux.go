package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
)

const (
	perKind  = 2   // frames of each kind that the table shows
	tableCut = 110 // columns
)

// printTable shows the first frames of each kind, in tcpdump's words if it is there
// and can read the file, else in our own. It returns who spoke.
func printTable(w io.Writer, path string, all *frames) string {
	lines, by := tcpdump(path), "tcpdump -r"
	if len(lines) != len(all.list) {
		lines, by = nil, "the demo's own reader"
		for i := range all.list {
			x := &all.list[i]
			lines = append(lines, fmt.Sprintf("%s  %s, length %d", x.at.Format("15:04:05.000000"), x.text, x.wire))
		}
	}
	shown := make(map[kind]int)
	for i := range all.list {
		k := all.list[i].kind
		if shown[k]++; k == other || shown[k] > perKind {
			continue
		}
		line := lines[i]
		if r := []rune(line); len(r) > tableCut {
			line = string(r[:tableCut-1]) + "…"
		}
		fmt.Fprintln(w, "  "+line)
	}
	return by
}

// tcpdump returns its line for each frame, or nothing where it is missing or fails:
// in a user namespace it may be unable to give up the rights of its root.
func tcpdump(path string) (lines []string) {
	for _, args := range [][]string{{"-n", "-r", path}, {"-n", "-Z", "root", "-r", path}} {
		out, err := exec.Command("tcpdump", args...).Output()
		if err != nil {
			continue
		}
		for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
			lines = append(lines, s.Text())
		}
		return lines
	}
	return nil
}

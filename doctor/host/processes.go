package host

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Process is a running program.
type Process struct {
	PID     int
	Command string // its command line without arguments that may be secrets: the program and its flags' names
	Path    string // of the program, if this user may see it
}

// Processes lists the processes of this network namespace that have a name, but this one. On systems without /proc there are none;
// ok is false then.
func Processes(name string) (list []Process, ok bool) {
	mine, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, false
	}
	dirs, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		return nil, false
	}
	for _, comm := range dirs {
		b, err := os.ReadFile(comm)
		if err != nil || strings.TrimSpace(string(b)) != name {
			continue
		}
		dir := filepath.Dir(comm)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil || pid == os.Getpid() {
			continue
		}
		if net, err := os.Readlink(dir + "/ns/net"); err == nil && net != mine { // without the right to see it counts
			continue
		}
		p := Process{PID: pid}
		p.Path, _ = os.Readlink(dir + "/exe") // or this user may not see it
		if args, err := os.ReadFile(dir + "/cmdline"); err == nil {
			p.Command = flagsOnly(strings.Split(strings.TrimRight(string(args), "\x00"), "\x00"))
		}
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b Process) int { return a.PID - b.PID })
	return list, true
}

// flagsOnly keeps the program and the flags of a command line, without values.
func flagsOnly(args []string) string {
	kept := args[:min(1, len(args))]
	for _, a := range args[len(kept):] {
		if strings.HasPrefix(a, "-") {
			name, _, _ := strings.Cut(a, "=")
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}

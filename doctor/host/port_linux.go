package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// PortOwner finds the process that has a TCP port open for listening, or a UDP port. Without the right to see other users'
// processes, or where there is none, pid is 0.
func PortOwner(tcp bool, port uint16) (pid int, name string) {
	files, state := []string{"/proc/net/udp", "/proc/net/udp6"}, "07"
	if tcp {
		files, state = []string{"/proc/net/tcp", "/proc/net/tcp6"}, "0A"
	}
	inodes := make(map[string]bool)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			f := strings.Fields(line) // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
			if len(f) > 9 && f[3] == state && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	if len(inodes) == 0 {
		return 0, ""
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, ""
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && inodes[to] {
			dir := filepath.Dir(filepath.Dir(fd))
			pid, _ = strconv.Atoi(filepath.Base(dir)) // the pattern has only numbers
			comm, _ := os.ReadFile(dir + "/comm")     // it may have ended meanwhile
			return pid, strings.TrimSpace(string(comm))
		}
	}
	return 0, ""
}

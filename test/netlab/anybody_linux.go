package netlab

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// AsAnybody has a program run as an ordinary user where the namespaces know no user but
// root. A program that lays down its privileges when it is started by root, as tcpdump
// does, cannot do so there.
func AsAnybody(cmd *exec.Cmd) *exec.Cmd {
	const anybody = 1000
	users, err := os.ReadFile("/proc/self/uid_map")
	if f := strings.Fields(string(users)); err != nil || len(f) != 3 || f[2] != "1" || os.Getuid() != 0 {
		return cmd
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: anybody, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: anybody, HostID: os.Getgid(), Size: 1}},
	}
	return cmd
}

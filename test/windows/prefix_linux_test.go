package windows

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"rpcapd/test/debian"
)

// prefix is the folder of wine's registry and drive C: in the system.
const prefix = "/prefix"

// inWine are the arguments of chroot that run wine in a folder of the system. wine is told to write nothing of its own, because
// it has much to say about what it lacks, and to use no display.
func inWine(root, folder string, args ...string) []string {
	return append([]string{
		root, "/usr/bin/env", "-i", "-C", folder,
		"PATH=/usr/bin:/bin:/usr/lib/wine", "HOME=/root", "LC_ALL=C.UTF-8", "XDG_RUNTIME_DIR=/tmp",
		"WINEPREFIX=" + prefix, "WINEDEBUG=-all", "DISPLAY=",
	}, args...)
}

// makePrefix has wine fill a new prefix, which takes half a minute: the copies that the tests use have it then.
func makePrefix(root string) error {
	const script = `set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
chroot "$@" wineboot -i
chroot "$@" wineserver -w
`
	log, err := os.Create(filepath.Join(root, "wineboot.log")) // no pipe: services would keep it
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("sh", append([]string{"-c", script, "sh"}, inWine(root, "/")...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID, Unshareflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL,
	}
	err = cmd.Run()
	if _, missing := os.Stat(filepath.Join(root, prefix, "system.reg")); err == nil {
		err = missing
	}
	if err != nil {
		text, _ := os.ReadFile(log.Name())
		return fmt.Errorf("wineboot: %w\n%s", err, debian.Tail(string(text)))
	}
	return nil
}

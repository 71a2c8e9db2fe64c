package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// insideVariable tells a further execution of the program that it is in the namespaces. Its value is the folder for the
// ordinary user's things, or "-".
const insideVariable = "FRESH_INSIDE"

// exitNotHidden is the status of a further execution that could not hide anything. The command has not been run.
const exitNotHidden = 125

func main() { os.Exit(run()) }

func run() int {
	asUser := flag.Bool("user", false, "started by root, run the command as an ordinary user in a copy of the working directory")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "fresh: no command; fresh [-user] COMMAND [ARGUMENT...]")
		return 2
	}
	if room := os.Getenv(insideVariable); room != "" {
		return inside(room, flag.Args())
	}
	begun := time.Now()
	*asUser = *asUser && os.Geteuid() == 0 // anybody else is one already
	code, err := enter(*asUser)
	how := "with the files of this machine hidden"
	if err != nil {
		if required, _ := strconv.ParseBool(os.Getenv("REQUIRE_ROOT")); required || *asUser {
			fmt.Fprintln(os.Stderr, "fresh: the files of this machine cannot be hidden:", err)
			return exitNotHidden
		}
		how = "with the files of this machine in sight, since they cannot be hidden: " + err.Error()
		code = wait(command(flag.Args(), os.Environ()))
	}
	who := "an ordinary user"
	if os.Geteuid() == 0 && !*asUser {
		who = "root"
	}
	fmt.Printf("finished after %v, as %s on %d processors, %s\n", time.Since(begun).Round(time.Second), who, runtime.NumCPU(), how)
	return code
}

// enter executes this program again in namespaces and returns the command's exit status. With an error nothing was run.
func enter(asUser bool) (code int, err error) {
	room := "-"
	if asUser {
		// Not below TMPDIR, which may be root's alone, nor below /run, which tests cover.
		if room, err = os.MkdirTemp("/tmp", "fresh-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(room) // what is mounted on it is seen inside only
	}
	said, childSaid, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer said.Close()
	// The child is killed when the thread ends that made it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := command(append([]string{"/proc/self/exe"}, os.Args[1:]...), append(os.Environ(), insideVariable+"="+room))
	cmd.ExtraFiles = []*os.File{childSaid}
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	if os.Geteuid() != 0 {
		own(cmd.SysProcAttr)
	}
	err = cmd.Start()
	childSaid.Close()
	if err != nil {
		return 0, fmt.Errorf("make a mount namespace: %w", err)
	}
	why := make([]byte, 4096)
	n, _ := said.Read(why) // nothing, once it was closed
	if code = exitStatus(cmd.Wait()); n > 0 {
		return 0, errors.New(string(why[:n]))
	}
	return code, nil
}

// own puts a process into a user namespace in which only its own user and group exist, with the right to mount.
func own(a *syscall.SysProcAttr) {
	const sysAdmin = 21
	a.Cloneflags |= syscall.CLONE_NEWUSER
	a.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
	a.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	a.AmbientCaps = []uintptr{sysAdmin} // the others are lost with the execution
}

func command(words, env []string) *exec.Cmd {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// wait runs a command and returns its exit status.
func wait(cmd *exec.Cmd) int {
	err := cmd.Run()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		fmt.Fprintln(os.Stderr, "fresh:", err)
	}
	return exitStatus(err)
}

func exitStatus(err error) int {
	exit := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 127 // it could not be started, as a shell has it
	case exit.ExitCode() < 0:
		return 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	}
	return exit.ExitCode()
}

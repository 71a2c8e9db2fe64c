package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rpcapd/agent"
)

const (
	// stopTimeout bounds the C agent's own script; termTimeout the wait after SIGTERM, before SIGKILL.
	stopTimeout = 30 * time.Second
	termTimeout = 5 * time.Second
	// serviceTimeout bounds a call of systemctl or of an init script.
	serviceTimeout = 60 * time.Second
)

type process struct {
	pid  int
	args []string
}

// processesOf finds the processes that run a program, also one that was deleted since.
func processesOf(program string) (list []process) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, d := range entries {
		pid, err := strconv.Atoi(d.Name())
		if err != nil {
			continue
		}
		exe, err := os.Readlink(filepath.Join("/proc", d.Name(), "exe"))
		if err != nil || strings.TrimSuffix(exe, " (deleted)") != filepath.Clean(program) {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", d.Name(), "cmdline"))
		if err != nil {
			continue
		}
		words := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		list = append(list, process{pid, words[1:]})
	}
	return list
}

// stopPredecessor stops the C agent and keeps it from starting again.
func (s *setup) stopPredecessor(old *predecessor) error {
	inPlace := old.script == s.in(initScript)
	if inPlace && s.root == "/" {
		if err := call(stopTimeout, old.script, "stop"); err != nil {
			s.out("%s stop: %v", old.script, err)
		}
	}
	for _, pid := range old.pids {
		if err := endProcess(pid); err != nil {
			return fmt.Errorf("stop the C agent, process %d: %w", pid, err)
		}
	}
	if old.pids != nil {
		s.out("stopped it")
	}
	if !inPlace {
		return nil
	}
	aside := old.script + ".dpkg-old"
	if !exists(s.in("/usr/bin/dpkg")) {
		aside = old.script + ".rpmsave"
	}
	if err := os.Rename(old.script, aside); err != nil {
		return fmt.Errorf("move its init script aside: %w", err)
	}
	if err := os.Chmod(aside, 0o644); err != nil {
		return fmt.Errorf("move its init script aside: %w", err)
	}
	s.out("its init script is %s now", aside)
	if s.root == "/" {
		for _, c := range [][]string{{"update-rc.d", "rpcapd", "remove"}, {"chkconfig", "--del", "rpcapd"}, {"systemctl", "daemon-reload"}} {
			if _, err := exec.LookPath(c[0]); err == nil {
				_ = call(serviceTimeout, c[0], c[1:]...) // what is left over does nothing without the script
			}
		}
	}
	return nil
}

// endProcess asks a process to end, then makes it.
func endProcess(pid int) error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if err := syscall.Kill(pid, sig); err != nil {
			if errors.Is(err, syscall.ESRCH) {
				return nil
			}
			return err
		}
		for end := time.Now().Add(termTimeout); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if ended(pid) {
				return nil
			}
		}
	}
	return errors.New("it does not end")
}

// ended is also true for a process that only waits for its parent to notice.
func ended(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

// succeed starts this agent in the place of the old one, or has a running one read its ini.
func (s *setup) succeed() error {
	if s.noReload || s.root != "/" {
		return nil
	}
	if _, err := agent.Running(s.runDir); err == nil && !exists("/run/systemd/system") {
		return s.reload()
	}
	var err error
	switch {
	case exists("/run/systemd/system") && hasUnit():
		if err = call(serviceTimeout, "systemctl", "enable", "rpcapd.service"); err == nil {
			err = call(serviceTimeout, "systemctl", "restart", "rpcapd.service") // the options may have changed
		}
	case exists(initScript):
		err = call(serviceTimeout, initScript, "restart")
	default:
		s.out("the agent is not running; %s", startHint(s.file))
		return nil
	}
	if err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	s.out("the agent has taken over")
	return nil
}

// hasUnit is true if a package or the install script has installed the service for systemd.
func hasUnit() bool {
	for _, dir := range []string{"/usr/lib", "/lib", "/etc"} {
		if exists(dir + "/systemd/system/rpcapd.service") {
			return true
		}
	}
	return false
}

// call runs a command; the error has the last of what it said.
func call(timeout time.Duration, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // a daemon that it starts may keep its output open
	out, err := cmd.CombinedOutput()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	if text := strings.TrimSpace(string(out)); text != "" {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, text[max(0, len(text)-300):])
	}
	return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
}

//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// startLimit bounds the wait for the process in the background to run.
	startLimit = 30 * time.Second
	// startTextLimit bounds what it may say about its start, in bytes.
	startTextLimit = 64 << 10
)

// detach executes this program again in a session of its own, without a terminal
// and with its standard files on /dev/null, and returns when the agent runs there.
func detach() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	defer r.Close()
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), parentVariable+"=3")
	cmd.ExtraFiles = []*os.File{w}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fmt.Errorf("start in the background: %w", err)
	}
	if err := awaitStart(r); err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return err
	}
	return cmd.Process.Release()
}

// awaitStart reads what the other process says until it closes the pipe.
func awaitStart(r *os.File) error {
	_ = r.SetReadDeadline(time.Now().Add(startLimit)) // pipes have deadlines on every unix
	text, err := io.ReadAll(io.LimitReader(r, startTextLimit))
	switch {
	case err != nil:
		return fmt.Errorf("start in the background: %w", err)
	case string(text) == readyWord:
		return nil
	case len(text) == 0:
		return errors.New("start in the background: the process ended at once")
	}
	return errors.New(string(text))
}

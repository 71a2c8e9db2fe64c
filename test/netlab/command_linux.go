package netlab

import (
	"bytes"
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// outputGrace is how long Wait goes on reading what a program's own children still
// write after its end.
const outputGrace = 5 * time.Second

// Cmd is a command of a namespace: an exec.Cmd whose process runs there and ends
// with the test at the latest. It has no pipes (StdoutPipe and its like); set
// Stdout and Stderr.
type Cmd struct {
	*exec.Cmd
	ns     *Namespace
	once   sync.Once
	result error
	ended  chan struct{}
}

// Command prepares a program to run inside the namespace, where /sys shows its
// interfaces.
func (n *Namespace) Command(name string, args ...string) *Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = outputGrace
	return &Cmd{Cmd: cmd, ns: n, ended: make(chan struct{})}
}

// Start starts the program.
func (c *Cmd) Start() error {
	started := make(chan error)
	go func() {
		// This thread is never given back, and stays as long as the child: the parent
		// death signal comes when the thread ends that made the child.
		runtime.LockOSThread()
		err := c.start()
		started <- err
		if err == nil {
			<-c.ended
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s in %s: %w", c.Path, c.ns.Name, err)
	}
	c.ns.lab.t.Cleanup(func() {
		_ = c.Process.Kill() // both fail if it has ended already
		_ = c.Wait()
	})
	return nil
}

func (c *Cmd) start() error {
	if err := netns.Set(c.ns.ns); err != nil {
		return fmt.Errorf("enter namespace: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare mounts: %w", err)
	}
	mountSysfs()
	return c.Cmd.Start()
}

// Wait waits for the program's end; further calls return the same.
func (c *Cmd) Wait() error {
	c.once.Do(func() {
		c.result = c.Cmd.Wait()
		close(c.ended)
	})
	return c.result
}

// Run starts the program and waits for it.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the program and returns its standard output.
func (c *Cmd) Output() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout = &out
	err := c.Run()
	return out.Bytes(), err
}

// CombinedOutput runs the program and returns what it printed.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

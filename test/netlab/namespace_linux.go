package netlab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Failer is what a lab reports to: a test, or a program of its own.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Lab is a set of namespaces.
type Lab struct{ t Failer }

// New returns an empty lab for a test. It skips or fails the test where there are
// no namespaces.
func New(t testing.TB) *Lab {
	t.Helper()
	Require(t)
	return NewFor(t)
}

// NewFor returns an empty lab for anything that can fail; Enter must have succeeded.
func NewFor(f Failer) *Lab { return &Lab{t: f} }

// Namespace is one host of a lab. Its methods fail the test when they cannot do
// what they say, but for those that return an error.
type Namespace struct {
	Name string
	lab  *Lab
	ns   netns.NsHandle
	nl   *netlink.Handle
}

// Namespace makes a host with its loopback interface up. It ends with the test.
func (l *Lab) Namespace(name string) *Namespace {
	l.t.Helper()
	n := &Namespace{Name: name, lab: l}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare: %w", err)
		}
		var err error
		n.ns, err = netns.Get()
		return err
	})
	if err != nil {
		l.t.Fatalf("make namespace %s: %v", name, err)
	}
	if n.nl, err = netlink.NewHandleAt(n.ns); err != nil {
		l.t.Fatalf("open netlink in %s: %v", name, err)
	}
	l.t.Cleanup(func() {
		n.nl.Close()
		n.ns.Close()
	})
	n.quiet()
	n.Up("lo")
	return n
}

// quiet keeps the kernel from sending, seconds after an interface is up, what no test asked for: the repeated reports of
// multicast listeners (RFC 3810, section 6.1), and the search for routers. A kernel without IPv6 sends neither.
func (n *Namespace) quiet() {
	if _, err := os.Stat("/proc/sys/net/ipv6"); err != nil {
		return
	}
	const hour = "3600000" // ms; a report is repeated at a random time within it
	n.Sysctl("ipv6/conf/default/mldv1_unsolicited_report_interval", hour)
	n.Sysctl("ipv6/conf/default/mldv2_unsolicited_report_interval", hour)
	n.Sysctl("ipv6/conf/default/router_solicitations", "0")
}

// onThread runs f on a thread that is thrown away afterwards, so that what it did to
// the thread's namespaces ends with it.
func onThread(f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		err := errors.New("ended by Goexit, as t.Fatal does")
		defer func() { done <- err }()
		err = f()
	}()
	return <-done
}

// Do runs f on a thread inside the namespace: sockets that it opens belong there.
// Goroutines that f starts do not.
func (n *Namespace) Do(f func() error) error {
	return onThread(func() error {
		if err := netns.Set(n.ns); err != nil {
			return fmt.Errorf("enter namespace %s: %w", n.Name, err)
		}
		return f()
	})
}

// Must is Do with a failure ending the test.
func (n *Namespace) Must(f func() error) {
	n.lab.t.Helper()
	if err := n.Do(f); err != nil {
		n.lab.t.Fatalf("%s: %v", n.Name, err)
	}
}

// Sysctl sets a value below /proc/sys/net of the namespace, "ipv4/ip_forward".
func (n *Namespace) Sysctl(name, value string) {
	n.lab.t.Helper()
	n.Must(func() error {
		return os.WriteFile(filepath.Join("/proc/sys/net", name), []byte(value), 0o644)
	})
}

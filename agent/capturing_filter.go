package agent

import (
	"errors"
	"fmt"
	"reflect"
	"syscall"

	"go.uber.org/zap"

	"rpcapd/filter"
	"rpcapd/rpcap"
)

// compose puts the exclusion in front of the sensor's program. mu is held, or
// nobody else knows the capture yet.
func (c *capturing) compose(user bool) (filter.Program, error) {
	build := filter.Compose
	if user || c.agent.ifaces.file != "" {
		build = filter.UserSpace
	}
	exclusion := c.exclusion
	if c.agent.ifaces.file != "" {
		exclusion = filter.Exclusion{} // what is read from a file does not grow by being sent
	}
	p, err := build(c.info.LinkType, exclusion, c.program, c.info.Snaplen)
	if err != nil {
		return p, fmt.Errorf("filter: %w", err)
	}
	if p.VM != nil && !c.userFilter && c.agent.ifaces.file == "" {
		c.log.Warn("filter runs in user space: its program is too large for the kernel", zap.Int("instructions", len(c.program)))
	}
	c.userFilter = p.VM != nil
	return p, nil
}

// install composes the filter anew and gives it to the source. mu is held.
func (c *capturing) install() error {
	p, err := c.compose(false)
	if err != nil {
		return err
	}
	err = c.source.SetFilter(p)
	if err != nil && refusedByKernel(err) {
		if p, err = c.compose(true); err != nil {
			return err
		}
		err = c.source.SetFilter(p)
	}
	return err
}

// refusedByKernel: SO_ATTACH_FILTER says ENOMEM above net.core.optmem_max and
// EINVAL for what net/core/filter.c does not take.
func refusedByKernel(err error) bool {
	return errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EINVAL)
}

// setProgram replaces the sensor's program; the old one stays on error.
func (c *capturing) setProgram(p rpcap.Program) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.program
	c.program = p
	if err := c.install(); err != nil {
		c.program = old
		return err
	}
	return nil
}

// exclude replaces the exclusion. A failure leaves the old one, which keeps this
// capture's own flow out, and is said.
func (c *capturing) exclude(x filter.Exclusion) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.final != nil || reflect.DeepEqual(x, c.exclusion) {
		return
	}
	old := c.exclusion
	c.exclusion = x
	if err := c.install(); err != nil {
		c.exclusion = old
		c.log.Error("own traffic to another sensor is not excluded from this capture", zap.Error(err))
	}
}

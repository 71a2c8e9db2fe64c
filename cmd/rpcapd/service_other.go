//go:build !windows

package main

import "github.com/spf13/cobra"

// systemCommands are those that this system alone has: none, since systemd and init scripts run the agent.
func (a *app) systemCommands() []*cobra.Command { return nil }

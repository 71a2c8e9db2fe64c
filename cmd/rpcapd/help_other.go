//go:build !windows

package main

// runningHelp ends the help of the agent.
const runningHelp = `SIGHUP reloads it; sessions whose line did not change
continue. To capture, start the agent as root or with the capability CAP_NET_RAW.`

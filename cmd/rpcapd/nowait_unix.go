//go:build unix

package main

import "syscall"

// openNoWait is a flag of open(2).
const openNoWait = syscall.O_NONBLOCK

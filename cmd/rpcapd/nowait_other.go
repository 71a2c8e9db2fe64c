//go:build !unix

package main

// openNoWait: elsewhere a path leads to no pipe.
const openNoWait = 0

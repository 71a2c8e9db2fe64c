//go:build !unix

package agent

const openNoWait = 0

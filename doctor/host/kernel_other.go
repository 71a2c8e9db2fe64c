//go:build !linux

package host

import (
	"context"
	"runtime"

	"rpcapd/doctor"
)

// System names the operating system.
func System() string { return runtime.GOOS + " " + runtime.GOARCH }

// SendOffload is not asked for here.
func SendOffload(context.Context) doctor.Result { return doctor.NotChecked("Linux only") }

// ReceiveOffload is not asked for here.
func ReceiveOffload(context.Context) doctor.Result { return doctor.NotChecked("Linux only") }

package main

import "golang.org/x/sys/windows/svc/eventlog"

// reportFailure writes to the application log, as Windows Installer shows nothing of what a program prints.
func reportFailure(text string) {
	l, err := eventlog.Open("rpcapd")
	if err != nil {
		return // the exit status is left
	}
	defer l.Close()
	_ = l.Error(1, text) // likewise
}

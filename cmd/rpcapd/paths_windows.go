package main

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// configurationDir has the ini of the service. Without an answer of the system it is where that has always been: a path
// that begins in the working folder would be anybody's.
func configurationDir() string {
	data, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil || data == "" {
		data = `C:\ProgramData`
	}
	return filepath.Join(data, "rpcapd")
}

// serviceRunDir is the run directory of the service.
func serviceRunDir() string { return filepath.Join(configurationDir(), "status") }

// defaultRunDir is where the status files are: that of the service for administrators, else one of the user's own, as
// others cannot enter the service's.
func defaultRunDir() string {
	if windows.GetCurrentProcessToken().IsElevated() {
		return serviceRunDir()
	}
	own, err := os.UserCacheDir() // %LocalAppData%
	if err != nil {
		return serviceRunDir()
	}
	return filepath.Join(own, "rpcapd", "status")
}

// notAllowed says how to get the rights of administrators.
func notAllowed() (cure string, may bool) {
	return "use a command prompt that you have opened with \"Run as administrator\"", !windows.GetCurrentProcessToken().IsElevated()
}

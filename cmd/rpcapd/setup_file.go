package main

import (
	"errors"
	"io/fs"

	"rpcapd/packaging/ini"
)

// agentGroup may read a new ini: the account of the packages.
const agentGroup = "rpcapd"

// readIniOrTemplate reads the file, or what a new one begins with.
func readIniOrTemplate(path string) ([]byte, error) {
	f, err := openNow(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ini.Agent, nil
	}
	if err != nil {
		return nil, err
	}
	return readIni(f)
}

package config

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"

	"rpcapd/openflag"
)

// LoadAgent reads and parses the file of the agent. The error is one of reading;
// what is wrong with the content is in the problems.
func LoadAgent(path string) (Agent, Problems, error) {
	return LoadAgentWith(path, nil)
}

// Exposed warns of accounts that every user of the host may read: the hashes keep a password only as long as nobody
// tries words on them at leisure.
func (a Agent) Exposed(path string) Problems {
	if len(a.Accounts) == 0 || !readableByAll(path) {
		return nil
	}
	return Problems{{File: path, Warning: true, Text: "it has accounts and every user can read it; chmod 640 it, and chgrp it to the agent's group"}}
}

// Unreachable warns of what can have no effect on this host: a MaxCPU that forwarding can never get to with so many processors, and
// a driver where the system itself captures.
func (a Agent) Unreachable(path string, processors int) (list Problems) {
	if a.RawDriver && runtime.GOOS != "windows" {
		p := a.Places.Problem("", "Driver", "Driver = raw has no effect here: only Windows captures through a driver; remove the line")
		p.File, p.Warning = path, true
		list = append(list, p)
	}
	if a.MaxCPU <= 100*processors {
		return list
	}
	p := a.Places.Problem("", "MaxCPU", fmt.Sprintf("MaxCPU = %d limits nothing here: it is in percent of one processor, and this host has %d; write %d or less", a.MaxCPU, processors, 100*processors))
	p.File, p.Warning = path, true
	return append(list, p)
}

// LoadSensor does for the sensor's file what LoadAgent does for the agent's.
func LoadSensor(path string) (Sensor, Problems, error) {
	data, err := readFile(path)
	if err != nil {
		return Sensor{}, nil, err
	}
	s, problems := parseSensor(path, data)
	if s.secret() && readableByAll(path) {
		problems = append(problems, Problem{File: path, Warning: true, Text: "it has passwords and every user can read it; chmod 640 it"})
	}
	return s, problems, nil
}

// secret tells whether the configuration has a password in clear text.
func (s Sensor) secret() bool {
	return slices.ContainsFunc(s.Rules, func(r Rule) bool { return r.Password != "" })
}

// readableByAll looks at the mode bits, which say nothing on Windows.
func readableByAll(path string) bool {
	info, err := os.Stat(path)
	return err == nil && runtime.GOOS != "windows" && info.Mode().IsRegular() && info.Mode()&0o004 != 0
}

// readFile reads one byte more than a file may have, so that parsing refuses it.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openflag.NoWait, 0) // a reload must not hang on a pipe that nobody writes to
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close() // nothing was written
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeDevice == 0 {
		what := map[fs.FileMode]string{fs.ModeDir: "a directory", fs.ModeNamedPipe: "a pipe", fs.ModeSocket: "a socket"}[info.Mode().Type()]
		return nil, fmt.Errorf("read configuration: %w", &os.PathError{Op: "read", Path: path, Err: fmt.Errorf("it is %s; name a file", what)})
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return data, nil
}

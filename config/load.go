package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
)

// maxFile bounds an ini file. Ten thousand ActiveClient lines are half of it.
const maxFile = 1 << 20

// LoadAgent reads and parses the file of the agent. The error is one of reading;
// what is wrong with the content is in the problems.
func LoadAgent(path string) (Agent, Problems, error) {
	data, err := readFile(path)
	if err != nil {
		return Agent{}, nil, err
	}
	a, problems := parseAgent(path, data)
	return a, problems, nil
}

// LoadSensor does for the sensor's file what LoadAgent does for the agent's.
func LoadSensor(path string) (Sensor, Problems, error) {
	data, err := readFile(path)
	if err != nil {
		return Sensor{}, nil, err
	}
	s, problems := parseSensor(path, data)
	if s.secret() && readableByAll(path) {
		problems = append(problems, Problem{File: path, Warning: true, Text: "it has passwords and every user may read it; chmod 640 it"})
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
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close() // nothing was written
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("read configuration: %w", &os.PathError{Op: "read", Path: path, Err: errors.New("it is a directory; name the file")})
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return data, nil
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"rpcapd/config"
)

// serviceUser is who the packages run the sensor as.
const serviceUser = "rpcap-sensor"

// checkOutputFile looks at File of [output].
func checkOutputFile(c config.Sensor) config.Problems {
	name := c.Output.File
	if name == "" || name == "-" {
		return nil
	}
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return config.Problems{c.Places.Problem("output", "File", fmt.Sprintf("[output] File: %s is a directory; write the name of a file", name))}
	case err == nil:
		return checkWritable(c.Places, "output", "File", name, info)
	}
	return checkDirectory(c.Places, "output", "File", filepath.Dir(name), false)
}

// checkDirectory finds what would keep the sensor from making files in a directory. makes: it makes the directory if it
// is not there, so the nearest one that is there counts.
func checkDirectory(at config.Places, section, key, dir string, makes bool) (all config.Problems) {
	say := func(warning bool, format string, args ...any) {
		p := at.Problem(section, key, fmt.Sprintf("[%s] %s: ", section, key)+fmt.Sprintf(format, args...))
		p.Warning = warning
		all = append(all, p)
	}
	dir = filepath.Clean(dir)
	there := dir
	for {
		info, err := os.Stat(there)
		switch {
		case errors.Is(err, fs.ErrNotExist) && !makes:
			say(false, "there is no directory %s; make it, or write another path", dir)
			return all
		case errors.Is(err, fs.ErrNotExist) && there != filepath.Dir(there):
			there = filepath.Dir(there)
			continue
		case errors.Is(err, syscall.ENOTDIR), err == nil && !info.IsDir():
			say(false, "%s is not a directory; write another path", there)
		case err != nil:
			say(false, "%v", err)
		default:
			if found := checkWritable(at, section, key, there, info); len(found) > 0 {
				return found
			}
			if there != dir {
				say(true, "there is no directory %s; the sensor creates it when it starts, so check the spelling", dir)
			}
		}
		return all
	}
}

// checkWritable finds out whether the sensor may write to what is there: whoever asks, or the service if that is root.
// For the service it goes by the modes, which is no more than a warning: there may be an access control list.
func checkWritable(at config.Places, section, key, path string, info fs.FileInfo) config.Problems {
	title := fmt.Sprintf("[%s] %s: ", section, key)
	if err := mayWrite(path); errors.Is(err, syscall.EROFS) {
		return config.Problems{at.Problem(section, key, title+fmt.Sprintf("%s is read-only here; write another path, or name it in ReadWritePaths= of the unit", path))}
	} else if err != nil {
		return config.Problems{at.Problem(section, key, title+fmt.Sprintf("the user of this sensor cannot write to %s (%v); chown it, or write another path", path, err))}
	}
	if !serviceMayWrite(serviceUser, path, info) {
		p := at.Problem(section, key, title+fmt.Sprintf("the service's user, %s, cannot write to %s (mode %04o); chown %s %s, or write another path", serviceUser, path, info.Mode().Perm(), serviceUser, path))
		p.Warning = true
		return config.Problems{p}
	}
	return nil
}

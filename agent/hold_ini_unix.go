//go:build unix

package agent

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"time"

	"rpcapd/filelock"
)

// HoldIni takes an ini for this process, for as long as it lives or until the result is closed. Two agents with one ini
// would send everything twice. The error names the process that has it.
//
// What is locked is a byte of the ini's folder, chosen by the file's name: editors replace the file. The folder can only
// be read as a rule, so it is a lock for reading, which other agents could share; they look for each other before and
// after. Agents of different network namespaces see different interfaces and may share an ini.
func HoldIni(path string) (io.Closer, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("lock ini: %w", err)
	}
	dir, err := os.Open(filepath.Dir(real))
	if err != nil {
		return nil, fmt.Errorf("lock ini: %w", err)
	}
	if err := holdByte(dir, iniByte(filepath.Base(real))); err != nil {
		dir.Close()
		if taken := (*iniTaken)(nil); errors.As(err, &taken) {
			taken.ini = path
			return nil, taken
		}
		return nil, fmt.Errorf("lock ini: lock folder %s: %w", dir.Name(), err)
	}
	return dir, nil
}

// iniByte is the byte of the folder that stands for a file in this network namespace.
func iniByte(name string) filelock.Range {
	h := fnv.New64a()
	h.Write([]byte(name + "\x00" + networkNamespace()))
	const most = 1<<62 - 1
	return filelock.Range{Start: int64(h.Sum64() & most), Length: 1}
}

// holdByte takes a byte of a folder. Of agents that start at once the one with the lowest number remains.
func holdByte(dir *os.File, at filelock.Range) error {
	pid, held, err := filelock.Holder(dir, at)
	if err != nil {
		return err
	}
	if held {
		return &iniTaken{holder: process(pid)}
	}
	if err := filelock.Read(dir, at); err != nil {
		return err
	}
	for range lockAttempts {
		pid, held, err := filelock.Holder(dir, at)
		if err != nil || !held {
			return err
		}
		if pid < os.Getpid() { // it has come at the same time; it will not see this one any more
			return &iniTaken{holder: process(pid)}
		}
		time.Sleep(lockPause) // it gives way
	}
	return &iniTaken{holder: process(0)}
}

// process names the holder of a lock; 0 is what cannot be named from here.
func process(pid int) string {
	if pid == 0 {
		return "a process of another PID namespace"
	}
	return fmt.Sprintf("process %d", pid)
}

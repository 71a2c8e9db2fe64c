package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// Where the C agent's script puts things: program and ini are in one folder, and the service has our name.
const (
	oldService    = "rpcapd"
	oldServiceKey = `SYSTEM\CurrentControlSet\Services\` + oldService
	stopTimeout   = 30 * time.Second
)

// logElsewhere is why -L is not taken over.
const logElsewhere = "the event log has the log of a service"

// findPredecessor looks for the service of the C agent and for its ini. A service of this agent is none.
func (s *setup) findPredecessor() (*predecessor, error) {
	old := &predecessor{ini: filepath.Join(os.Getenv("ProgramFiles"), "rpcapd", "rpcapd.ini")}
	if line, err := serviceCommand(); err == nil {
		program, args := splitCommand(line)
		if len(args) > 0 && args[0] == "service" {
			return nil, fmt.Errorf("setup --migrate: %w: the service %s is of this agent", errNoPredecessor, oldService)
		}
		old.script, old.args = line, args
		if named := iniOfService(args); named != "" {
			old.ini = named
		}
		s.out("found its service: %s %s", program, strings.Join(args, " "))
	} else if !errors.Is(err, registry.ErrNotExist) {
		return nil, fmt.Errorf("setup --migrate: read the service %s: %w", oldService, err)
	}
	if old.script == "" && !exists(old.ini) {
		return nil, fmt.Errorf("setup --migrate: %w: neither a service %s nor %s", errNoPredecessor, oldService, old.ini)
	}
	if exists(old.ini) {
		s.out("found its configuration %s", old.ini)
	}
	return old, nil
}

// serviceCommand is the command line of the service as it is registered.
func serviceCommand() (string, error) {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, oldServiceKey, registry.QUERY_VALUE)
	if err != nil {
		return "", err
	}
	defer key.Close() // it was only read
	line, kind, err := key.GetStringValue("ImagePath")
	if err == nil && kind == registry.EXPAND_SZ {
		line, err = registry.ExpandString(line)
	}
	return line, err
}

// iniOfService is the file that -f names.
func iniOfService(args []string) string {
	for i, word := range args {
		if word == "-f" && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// oldServiceHandle opens the service with some rights. It is nil if the service has gone.
func oldServiceHandle(access uint32) (*mgr.Service, error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, fmt.Errorf("connect to the service manager: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }() // there is nothing to lose
	name, err := windows.UTF16PtrFromString(oldService)
	if err != nil {
		return nil, err
	}
	h, err := windows.OpenService(manager, name, access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the service of the C agent: %w", err)
	}
	return &mgr.Service{Name: oldService, Handle: h}, nil
}

// replacePredecessor makes the service one of this agent: the installer finds it there, and sets up the rest.
func (s *setup) replacePredecessor(old *predecessor) error {
	service, err := oldServiceHandle(windows.SERVICE_CHANGE_CONFIG)
	if err != nil || service == nil {
		return err
	}
	defer service.Close()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	line, err := windows.UTF16PtrFromString(windows.ComposeCommandLine([]string{program, "service", "run", "-f", s.file}))
	if err != nil {
		return err
	}
	const same = windows.SERVICE_NO_CHANGE
	if err := windows.ChangeServiceConfig(service.Handle, same, same, same, line, nil, nil, nil, nil, nil, nil); err != nil {
		return fmt.Errorf("replace the service of the C agent: %w", os.NewSyscallError("ChangeServiceConfig", err))
	}
	s.out("the service %s runs this agent from now on", oldService)
	return nil
}

// stopPredecessor stops the service. Its entry stays: the installation of this agent's service takes its place.
func (s *setup) stopPredecessor(old *predecessor) error {
	if old.script == "" {
		return nil
	}
	service, err := oldServiceHandle(windows.SERVICE_STOP | windows.SERVICE_QUERY_STATUS)
	if err != nil || service == nil {
		return err
	}
	defer service.Close()
	status, err := service.Query()
	for end := time.Now().Add(stopTimeout); err == nil && status.State != svc.Stopped; {
		if status.State != svc.StopPending {
			if _, err := service.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
				return fmt.Errorf("stop the C agent: %w", err)
			}
		}
		if time.Now().After(end) {
			return fmt.Errorf("stop the C agent: the service does not stop within %v", stopTimeout)
		}
		time.Sleep(100 * time.Millisecond)
		status, err = service.Query()
	}
	if err != nil {
		return fmt.Errorf("stop the C agent: %w", err)
	}
	s.out("stopped it")
	return nil
}

// succeed tells how this agent becomes the service, where no installer does that.
func (s *setup) succeed() error {
	if !s.noReload {
		s.out("register this agent in its place: rpcapd service install")
	}
	return nil
}

// writeOptions puts options where the service reads them.
func (s *setup) writeOptions(options []string) error {
	if len(options) == 0 {
		return nil
	}
	path := optionsFile(s.file)
	text, err := readOptionsText(path)
	if err != nil {
		return fmt.Errorf("write options: %w", err)
	}
	edited, set, kept := editOptions(text, options)
	return replaceOptions(path, text, edited, set, kept, s.out)
}

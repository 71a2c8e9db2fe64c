package winservice

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	// startTimeout bounds the wait for the service to run. It says so within moments, but a machine that starts is slow.
	startTimeout = 30 * time.Second
	// stopMargin is what its end may take beyond StopTimeout.
	stopMargin = 5 * time.Second
	poll       = 50 * time.Millisecond
)

// ErrRunning says that the service runs already.
var ErrRunning = errors.New("it runs already")

// ExitError is how the service ended when it was to start.
type ExitError struct {
	Code     uint32 // the program's own if Specific, else one of Windows
	Specific bool
}

func (e *ExitError) Error() string {
	if e.Specific {
		return fmt.Sprintf("it ended with exit code %d", e.Code)
	}
	if e.Code == 0 {
		return "it ended at once"
	}
	return "it ended: " + explain(windows.Errno(e.Code)).Error()
}

// Start starts the service and returns when it runs, with the number of its process. Its error is ErrRunning, with the
// process, if it ran before, and an *ExitError if it has ended.
func Start(name string) (pid int, err error) {
	s, err := open(name, windows.SERVICE_START|windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	before, err := s.Query()
	if err == nil && before.State == svc.Running {
		return int(before.ProcessId), fmt.Errorf("start service %s: %w", name, ErrRunning)
	}
	if err := s.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) { // somebody else starts it
		return 0, fmt.Errorf("start service %s: %w", name, explain(err))
	}
	st, err := await(s, startTimeout, func(st svc.Status) bool { return st.State == svc.Running || st.State == svc.Stopped })
	switch {
	case err != nil:
		return 0, fmt.Errorf("start service %s: %w", name, err)
	case st.State == svc.Stopped:
		return 0, fmt.Errorf("start service %s: %w", name, exitOf(st))
	}
	return int(st.ProcessId), nil
}

func exitOf(st svc.Status) *ExitError {
	if windows.Errno(st.Win32ExitCode) == windows.ERROR_SERVICE_SPECIFIC_ERROR {
		return &ExitError{Code: st.ServiceSpecificExitCode, Specific: true}
	}
	if windows.Errno(st.Win32ExitCode) == windows.ERROR_SERVICE_NEVER_STARTED {
		return &ExitError{} // since the machine started
	}
	return &ExitError{Code: st.Win32ExitCode}
}

// Stop ends the service and returns when it has ended. It is no error if it does not run.
func Stop(name string) error {
	s, err := open(name, windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return err
	}
	defer s.Close()
	return stop(s)
}

func stop(s *mgr.Service) error {
	// While it starts it takes no orders, and the order can come too late for one that ends by itself.
	_, err := await(s, startTimeout, func(svc.Status) bool {
		_, err := s.Control(svc.Stop)
		return !errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
	})
	if err == nil {
		_, err = await(s, StopTimeout+stopMargin, func(st svc.Status) bool { return st.State == svc.Stopped })
	}
	if err != nil {
		return fmt.Errorf("stop service %s: %w", s.Name, err)
	}
	return nil
}

// await asks for the state until it is as wanted.
func await(s *mgr.Service, limit time.Duration, wanted func(svc.Status) bool) (svc.Status, error) {
	for end := time.Now().Add(limit); ; time.Sleep(poll) {
		st, err := s.Query()
		if err != nil {
			return st, explain(err)
		}
		if wanted(st) {
			return st, nil
		}
		if time.Now().After(end) {
			return st, fmt.Errorf("it is %s after %v", StateName(st.State), limit)
		}
	}
}

// Reload has the service read its configuration again, if process pid is the service; known tells whether it is.
func Reload(name string, pid int) (known bool, err error) {
	s, err := open(name, windows.SERVICE_QUERY_STATUS)
	if errors.Is(err, ErrNotInstalled) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer s.Close()
	st, err := s.Query()
	if err != nil {
		return false, fmt.Errorf("query service %s: %w", name, explain(err))
	}
	if int(st.ProcessId) != pid || pid == 0 {
		return false, nil
	}
	c, err := open(name, windows.SERVICE_PAUSE_CONTINUE) // the right that a change of parameters needs
	if err != nil {
		return true, err
	}
	defer c.Close()
	if _, err := c.Control(svc.ParamChange); err != nil {
		return true, fmt.Errorf("reload service %s: %w", name, explain(err))
	}
	return true, nil
}

// State is what the service manager knows of a service.
type State struct {
	svc.Status
	Account, Command string
	Start            string
	After            []string        // the services that it starts after
	Restarts         []time.Duration // waits before it is started again
}

// Query asks the service manager.
func Query(name string) (*State, error) {
	s, err := open(name, windows.SERVICE_QUERY_STATUS|windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	st, err := s.Query()
	if err != nil {
		return nil, fmt.Errorf("query service %s: %w", name, explain(err))
	}
	c, err := configOf(s)
	if err != nil {
		return nil, fmt.Errorf("query service %s: %w", name, explain(err))
	}
	x := &State{Status: st, Account: windows.UTF16PtrToString(c.ServiceStartName), Command: windows.UTF16PtrToString(c.BinaryPathName), Start: startName(s, c.StartType), After: texts(c.Dependencies)}
	actions, err := s.RecoveryActions()
	for _, a := range actions {
		if err == nil && a.Type == mgr.ServiceRestart {
			x.Restarts = append(x.Restarts, a.Delay)
		}
	}
	return x, nil
}

// Exit is how it ended.
func (x *State) Exit() *ExitError { return exitOf(x.Status) }

func startName(s *mgr.Service, kind uint32) string {
	switch kind {
	case mgr.StartAutomatic:
		var info windows.SERVICE_DELAYED_AUTO_START_INFO
		size := uint32(unsafe.Sizeof(info))
		err := windows.QueryServiceConfig2(s.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, (*byte)(unsafe.Pointer(&info)), size, &size)
		if err == nil && info.IsDelayedAutoStartUp != 0 {
			return "automatic, delayed"
		}
		return "automatic"
	case mgr.StartManual:
		return "by hand"
	case mgr.StartDisabled:
		return "disabled"
	}
	return fmt.Sprint(kind)
}

// configOf is the basic configuration, which every system has.
func configOf(s *mgr.Service) (*windows.QUERY_SERVICE_CONFIG, error) {
	for size := uint32(4096); ; {
		b := make([]uint64, size/8+1) // aligned
		c := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&b[0]))
		err := windows.QueryServiceConfig(s.Handle, c, size, &size)
		if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || int(size) <= 8*len(b) {
			return c, err
		}
	}
}

// texts reads a list that ends with an empty text.
func texts(p *uint16) (list []string) {
	for p != nil && *p != 0 {
		s := windows.UTF16PtrToString(p)
		list = append(list, s)
		p = (*uint16)(unsafe.Add(unsafe.Pointer(p), 2*(len(windows.StringToUTF16(s)))))
	}
	return list
}

// StateName is a state in words.
func StateName(s svc.State) string {
	switch s {
	case svc.Stopped:
		return "stopped"
	case svc.StartPending:
		return "starting"
	case svc.StopPending:
		return "stopping"
	case svc.Running:
		return "running"
	}
	return fmt.Sprintf("in state %d", s)
}

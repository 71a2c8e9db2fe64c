package winservice

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// ErrNotInstalled says that there is no such service.
var ErrNotInstalled = errors.New("the service is not installed")

// open opens a service with no more rights than are needed, so that every user can ask for its state.
func open(name string, access uint32) (*mgr.Service, error) {
	m, err := connect(windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, err
	}
	defer m.Disconnect() // a handle of the manager has nothing to say any more
	return openIn(m, name, access)
}

func openIn(m *mgr.Mgr, name string, access uint32) (*mgr.Service, error) {
	n, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("open service %s: %w", name, err)
	}
	h, err := windows.OpenService(m.Handle, n, access)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, fmt.Errorf("open service %s: %w", name, ErrNotInstalled)
	}
	if err != nil {
		return nil, fmt.Errorf("open service %s: %w", name, explain(err))
	}
	return &mgr.Service{Name: name, Handle: h}, nil
}

func connect(access uint32) (*mgr.Mgr, error) {
	h, err := windows.OpenSCManager(nil, nil, access)
	if err != nil {
		return nil, fmt.Errorf("connect to the service manager: %w", explain(err))
	}
	return &mgr.Mgr{Handle: h}, nil
}

// explain adds the cure to errors of the service manager.
func explain(err error) error {
	for errno, cure := range map[windows.Errno]string{
		windows.ERROR_ACCESS_DENIED:                     "use a command prompt that you have opened with \"Run as administrator\"",
		windows.ERROR_SERVICE_MARKED_FOR_DELETE:         "it is being removed: close Services and other windows that show it, or restart the machine",
		windows.ERROR_SERVICE_DISABLED:                  "enable it: sc config rpcapd start= delayed-auto",
		windows.ERROR_SERVICE_DEPENDENCY_DELETED:        "the capture driver that it starts after was removed: rpcapd service configure",
		windows.ERROR_SERVICE_DEPENDENCY_FAIL:           "the capture driver that it starts after does not start; install it again",
		windows.ERROR_SERVICE_LOGON_FAILED:              "its account may not run services: rpcapd service configure --account LocalService",
		windows.ERROR_SERVICE_REQUEST_TIMEOUT:           "the program did not answer in time; start it again, and look into the event log, source Service Control Manager",
		windows.ERROR_FILE_NOT_FOUND:                    "its program was moved or removed; install it again",
		windows.ERROR_PATH_NOT_FOUND:                    "its program was moved or removed; install it again",
		windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT: "only the service manager can run this; start the service with rpcapd service start, or run rpcapd without \"service run\"",
	} {
		if errors.Is(err, errno) {
			return fmt.Errorf("%w; %s", err, cure)
		}
	}
	return err
}

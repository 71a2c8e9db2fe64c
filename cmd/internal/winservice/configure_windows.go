package winservice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf16"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// recovery is what Windows waits before it starts the service again that has ended by itself: the first time, the second,
// and from then on. recoveryReset is after which time without it the count begins anew.
var recovery = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}

const recoveryReset = time.Hour

// StopTimeout is what the service is given to send what it has and end, also when the machine is shut down.
const StopTimeout = 10 * time.Second

// privileges are all that the token of the service has: to enter folders below such that it may not list.
var privileges = []string{"SeChangeNotifyPrivilege"}

// Configure brings folders and settings of a service that is there to what is defined. The command line stays,
// and so do the account and the kind of start if none is defined.
func (d *Definition) Configure() (notes []string, err error) {
	m, err := connect(windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, err
	}
	defer m.Disconnect() // a handle of the manager has nothing to say any more
	s, err := openIn(m, d.Name, windows.SERVICE_CHANGE_CONFIG|windows.SERVICE_QUERY_CONFIG|windows.SERVICE_START)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := d.protect(); err != nil {
		return nil, err
	}
	if notes, err = d.configure(m, s); err != nil {
		return nil, fmt.Errorf("configure service %s: %w", d.Name, err)
	}
	return notes, nil
}

func (d *Definition) configure(m *mgr.Mgr, s *mgr.Service) (notes []string, err error) {
	if err := d.basics(m, s); err != nil {
		return nil, explain(err)
	}
	automatic, err := startsByItself(s)
	if err != nil {
		return nil, explain(err)
	}
	for _, step := range []struct {
		what string
		skip bool
		do   func(windows.Handle) error
	}{
		{"description", false, d.describe},
		{"restart after a failure", false, restart},
		{"restart after an end with an error", false, recoverErrors},
		{"delayed start", !automatic, delay},
		{"security identifier of its own", false, ownSID},
		{"least privileges", false, leastPrivileges},
		{"time for its end at shutdown", false, preshutdown},
	} {
		if step.skip {
			continue
		}
		switch err := step.do(s.Handle); {
		case errors.Is(err, windows.ERROR_INVALID_LEVEL), errors.Is(err, windows.ERROR_CALL_NOT_IMPLEMENTED):
			notes = append(notes, fmt.Sprintf("not set, because this system does not have it: %s", step.what))
		case err != nil:
			return nil, fmt.Errorf("%s: %w", step.what, explain(err))
		}
	}
	return notes, nil
}

var kinds = map[StartKind]uint32{StartAuto: mgr.StartAutomatic, StartDemand: mgr.StartManual, StartDisabled: mgr.StartDisabled}

// basics sets the account, the kind of start, the names, and what it starts after.
func (d *Definition) basics(m *mgr.Mgr, s *mgr.Service) error {
	var account, password *uint16
	var err error
	if d.Account != "" {
		if account, err = windows.UTF16PtrFromString(string(d.Account)); err != nil {
			return err
		}
		password = new(uint16) // these accounts have none
	}
	name, err := windows.UTF16PtrFromString(d.DisplayName)
	if err != nil {
		return err
	}
	after := ""
	i := slices.IndexFunc(d.Drivers, func(driver string) bool { return exists(m, driver) })
	if i >= 0 {
		after = d.Drivers[i]
	}
	start := uint32(windows.SERVICE_NO_CHANGE)
	if kind, chosen := kinds[d.Start]; chosen {
		start = kind
	}
	return windows.ChangeServiceConfig(s.Handle, windows.SERVICE_NO_CHANGE, start, windows.SERVICE_NO_CHANGE,
		nil, nil, nil, &multi(after)[0], account, password, name)
}

func exists(m *mgr.Mgr, name string) bool {
	s, err := openIn(m, name, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return false
	}
	s.Close()
	return true
}

// multi is a list of texts as Windows has it: each ends with 0, and so does the list.
func multi(list ...string) []uint16 {
	text := strings.Join(list, "\x00") + "\x00\x00"
	return utf16.Encode([]rune(text))
}

func startsByItself(s *mgr.Service) (bool, error) {
	c, err := configOf(s)
	return err == nil && c.StartType == mgr.StartAutomatic, err
}

func (d *Definition) describe(h windows.Handle) error {
	text, err := windows.UTF16PtrFromString(d.Description)
	if err != nil {
		return err
	}
	return change(h, windows.SERVICE_CONFIG_DESCRIPTION, &windows.SERVICE_DESCRIPTION{Description: text})
}

func restart(h windows.Handle) error {
	var actions []windows.SC_ACTION
	for _, wait := range recovery {
		actions = append(actions, windows.SC_ACTION{Type: windows.SC_ACTION_RESTART, Delay: uint32(wait.Milliseconds())})
	}
	return change(h, windows.SERVICE_CONFIG_FAILURE_ACTIONS, &windows.SERVICE_FAILURE_ACTIONS{
		ResetPeriod: uint32(recoveryReset.Seconds()), ActionsCount: uint32(len(actions)), Actions: &actions[0],
	})
}

// recoverErrors has the actions apply also when the service ends with an exit code, as after an ini that it cannot use: the
// service is back when the ini is mended, as it is on other systems.
func recoverErrors(h windows.Handle) error {
	return change(h, windows.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &windows.SERVICE_FAILURE_ACTIONS_FLAG{FailureActionsOnNonCrashFailures: 1})
}

func delay(h windows.Handle) error {
	return change(h, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1})
}

func ownSID(h windows.Handle) error {
	kind := uint32(windows.SERVICE_SID_TYPE_UNRESTRICTED)
	return change(h, windows.SERVICE_CONFIG_SERVICE_SID_INFO, &kind)
}

func leastPrivileges(h windows.Handle) error {
	list := &multi(privileges...)[0]
	return change(h, windows.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &list) // a structure with this pointer alone
}

func preshutdown(h windows.Handle) error {
	ms := uint32(StopTimeout.Milliseconds())
	return change(h, windows.SERVICE_CONFIG_PRESHUTDOWN_INFO, &ms)
}

func change[T any](h windows.Handle, level uint32, value *T) error {
	return windows.ChangeServiceConfig2(h, level, (*byte)(unsafe.Pointer(value)))
}

package winservice

import (
	"fmt"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Program is what runs as the service.
type Program struct {
	// Run is the program. It calls started when it serves; what it returns ends the service, with the exit code that ExitCode
	// makes of it.
	Run      func(started func()) error
	ExitCode func(error) uint32
	// Stop and Reload return at once. Power is called when the machine goes to sleep, and when it wakes up.
	Stop   func()
	Reload func()
	Power  func(asleep bool)
}

// Host is the service until the service manager ends it, or Run returns.
func Host(name string, p Program) error {
	stayAtLogoff()
	if err := svc.Run(name, &p); err != nil {
		return fmt.Errorf("run as service %s: %w", name, explain(err))
	}
	return nil
}

const (
	accepts = svc.AcceptStop | svc.AcceptPreShutdown | svc.AcceptParamChange | svc.AcceptPowerEvent
	// progressEvery is how often the service manager hears that the service still starts or ends.
	progressEvery = time.Second
	waitHint      = 5 * progressEvery
)

// Events of the power, from winuser.h.
const (
	suspend         = 4    // PBT_APMSUSPEND
	resumeAutomatic = 0x12 // PBT_APMRESUMEAUTOMATIC: each time, and before that of a user
)

// Execute is called by package svc.
func (p *Program) Execute(_ []string, requests <-chan svc.ChangeRequest, states chan<- svc.Status) (specific bool, code uint32) {
	started, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- p.Run(func() { close(started) }) }()
	now := svc.Status{State: svc.StartPending, WaitHint: uint32(waitHint.Milliseconds())}
	states <- now
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				return false, 0
			}
			return true, p.ExitCode(err)
		case <-started:
			started = nil
			if now.State == svc.StartPending {
				now = svc.Status{State: svc.Running, Accepts: accepts}
				states <- now
			}
		case <-tick.C:
			if now.State != svc.Running {
				now.CheckPoint++
				states <- now
			}
		case r := <-requests:
			now = p.request(r, now, states)
		}
	}
}

// request does what the service manager asks and returns the state of the service.
func (p *Program) request(r svc.ChangeRequest, now svc.Status, states chan<- svc.Status) svc.Status {
	switch r.Cmd {
	case svc.Interrogate:
		states <- now
	case svc.Stop, svc.PreShutdown, svc.Shutdown:
		if now.State != svc.StopPending {
			now = svc.Status{State: svc.StopPending, WaitHint: uint32(waitHint.Milliseconds())}
			states <- now
			p.Stop()
		}
	case svc.ParamChange:
		p.Reload()
	case svc.PowerEvent:
		if r.EventType == suspend || r.EventType == resumeAutomatic {
			p.Power(r.EventType == suspend)
		}
	}
	return now
}

const logoff = 5 // CTRL_LOGOFF_EVENT

var setConsoleCtrlHandler = windows.NewLazySystemDLL("kernel32.dll").NewProc("SetConsoleCtrlHandler")

// stayAtLogoff keeps the service when a user logs off: the consoles of services hear of that too, and what does not handle
// it is ended.
func stayAtLogoff() {
	handler := windows.NewCallback(func(event uint32) uintptr {
		if event == logoff {
			return 1
		}
		return 0
	})
	_, _, _ = setConsoleCtrlHandler.Call(handler, 1) // it fails only where there are no consoles
}

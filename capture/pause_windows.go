package capture

import (
	"fmt"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemPause waits with system calls: for events of a driver, and finer than the tick of 15.6 ms of the system's clock.
type systemPause struct {
	woken windows.Handle // event that resets itself
	timer windows.Handle // 0: the system has none that is fine enough

	mu     sync.Mutex // of closed
	closed bool
}

var (
	kernel32            = windows.NewLazySystemDLL("kernel32.dll")
	createWaitableTimer = kernel32.NewProc("CreateWaitableTimerExW")
	setWaitableTimer    = kernel32.NewProc("SetWaitableTimer")
)

// newPause makes the events. Windows before 10 (1803) has no timer of high resolution, and a wait may take a tick longer.
func newPause() (*systemPause, error) {
	woken, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateEvent", err)
	}
	p := &systemPause{woken: woken}
	const highResolution = 0x2               // CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
	const access = windows.SYNCHRONIZE | 0x2 // TIMER_MODIFY_STATE
	if createWaitableTimer.Find() == nil && setWaitableTimer.Find() == nil {
		h, _, _ := createWaitableTimer.Call(0, 0, highResolution, access)
		p.timer = windows.Handle(h) // 0 if it failed
	}
	return p, nil
}

// wait returns after the time, when the event is signaled, or when wake was called, be it before.
func (p *systemPause) wait(event uintptr, d time.Duration) error {
	handles := make([]windows.Handle, 1, 3)
	handles[0] = p.woken
	if event != 0 {
		handles = append(handles, windows.Handle(event))
	}
	milliseconds := uint32((d + time.Millisecond - 1) / time.Millisecond)
	if p.timer != 0 {
		due := -int64(max(d, 1) / 100) // below 0: from now on, in units of 100 ns
		if r, _, err := setWaitableTimer.Call(uintptr(p.timer), uintptr(unsafe.Pointer(&due)), 0, 0, 0, 0); r == 0 {
			return os.NewSyscallError("SetWaitableTimer", err)
		}
		handles = append(handles, p.timer)
		milliseconds = max(1000, 2*milliseconds) // in case
	}
	if _, err := windows.WaitForMultipleObjects(handles, false, milliseconds); err != nil {
		return fmt.Errorf("wait for frames: %w", os.NewSyscallError("WaitForMultipleObjects", err))
	}
	return nil
}

// wake ends a wait. Any goroutine may call it, also after close.
func (p *systemPause) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		_ = windows.SetEvent(p.woken) // a valid handle: it cannot fail
	}
}

func (p *systemPause) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	_ = windows.CloseHandle(p.woken)
	if p.timer != 0 {
		_ = windows.CloseHandle(p.timer)
	}
}

package eventlog

import (
	"fmt"
	"os"

	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/eventlog"
)

// Open returns a core that writes to the event log as a source. It works without Install too: Event Viewer then says that
// it has no description of the event, and shows the text below that.
func Open(source string, level zapcore.Level, events []Event) (zapcore.Core, error) {
	l, err := eventlog.Open(source)
	if err != nil {
		return nil, fmt.Errorf("open event log: %w", os.NewSyscallError("RegisterEventSource", err))
	}
	return newCore(level, events, log{l}), nil
}

// log is open for as long as the process lives.
type log struct{ *eventlog.Log }

func (l log) report(level zapcore.Level, id uint32, text string) error {
	switch {
	case level >= zapcore.ErrorLevel:
		return l.Error(id, text)
	case level == zapcore.WarnLevel:
		return l.Warning(id, text)
	}
	return l.Info(id, text)
}

const sourcesKey = `SYSTEM\CurrentControlSet\Services\EventLog\Application\`

// Install registers a source, so that Event Viewer shows its texts. One that is registered is set anew.
func Install(source string) error {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, sourcesKey+source, registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("register event source %s: %w", source, err)
	}
	defer key.Close() // what was set is there
	err = key.SetExpandStringValue("EventMessageFile", `%SystemRoot%\System32\EventCreate.exe`)
	if err == nil {
		err = key.SetDWordValue("TypesSupported", eventlog.Error|eventlog.Warning|eventlog.Info)
	}
	if err != nil {
		return fmt.Errorf("register event source %s: %w", source, err)
	}
	return nil
}

// Remove takes the registration of a source away. It is no error if there is none.
func Remove(source string) error {
	err := registry.DeleteKey(registry.LOCAL_MACHINE, sourcesKey+source)
	if err != nil && err != registry.ErrNotExist {
		return fmt.Errorf("remove event source %s: %w", source, err)
	}
	return nil
}

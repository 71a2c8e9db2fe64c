package agent

import (
	"errors"
	"fmt"
)

// ErrIniTaken says that another agent runs with an ini.
var ErrIniTaken = errors.New("another agent uses it")

// iniTaken is the error of HoldIni.
type iniTaken struct{ ini, holder string }

func (e *iniTaken) Unwrap() error { return ErrIniTaken }

func (e *iniTaken) Error() string {
	return fmt.Sprintf("%s: %s already uses it, and two agents would send everything twice; stop that one, or give this agent its own ini", e.ini, e.holder)
}

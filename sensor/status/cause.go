package status

import (
	"errors"
	"fmt"
)

// Cause is the kind of a reason, for programs that tell people what helps. Peer.Reason and LastError say the same in
// words.
type Cause string

// The causes. The agent's answers tell them apart by their code and by what was asked, not by their text.
const (
	CauseNone          Cause = ""
	CausePassword      Cause = "password"       // the agent refuses the rule's user and password
	CauseNullAuth      Cause = "null-auth"      // the agent wants a password (NullAuthPermit), and the rule has none
	CauseDataPort      Cause = "data-port"      // the agent's data connection (TCP) does not come about or breaks
	CauseFilter        Cause = "filter"         // the rule's filter cannot be compiled
	CauseFilterRefused Cause = "filter-refused" // the agent refuses the compiled filter
	CauseInterfaceDown Cause = "interface-down" // the agent's interface is down or has gone
	CauseInterface     Cause = "interface"      // the agent cannot open the interface or capture on it
	CauseNoInterface   Cause = "no-interface"   // no interface of the agent matches a rule
	CauseAddress       Cause = "address"        // no rule allows the agent's address
	CauseTooMany       Cause = "too-many"       // over a limit of this sensor: sessions, data ports
	CauseProtocol      Cause = "protocol"       // another version, messages that cannot be read, an unsupported format
	CauseConnection    Cause = "connection"     // the control connection has ended, or the agent does not answer
	CauseOther         Cause = "other"
)

// causedError gives an error a cause. The text is that of the error.
type causedError struct {
	cause Cause
	error
}

func (e causedError) Unwrap() error { return e.error }

// Caused is fmt.Errorf with a cause.
func Caused(c Cause, format string, args ...any) error {
	return causedError{c, fmt.Errorf(format, args...)}
}

// CauseOf returns the cause of an error, CauseNone for nil, and CauseOther if it has none.
func CauseOf(err error) Cause {
	if err == nil {
		return CauseNone
	}
	if c := (causedError{}); errors.As(err, &c) {
		return c.cause
	}
	return CauseOther
}

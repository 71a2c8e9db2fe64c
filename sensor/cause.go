package sensor

import (
	"errors"
	"fmt"
	"strings"

	"rpcapd/rpcap"
)

// Cause is the kind of a reason, for programs that tell people what helps. PeerStatus.Reason and LastError say the same in
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

// caused is fmt.Errorf with a cause.
func caused(c Cause, format string, args ...any) error {
	return causedError{c, fmt.Errorf(format, args...)}
}

// causeOf returns the cause of an error, CauseOther if it has none, CauseNone for nil and for the stop of sensor or agent.
func causeOf(err error) Cause {
	if err == nil || errors.Is(err, errStopped) || orderly(err) {
		return CauseNone
	}
	if c := (causedError{}); errors.As(err, &c) {
		return c.cause
	}
	switch {
	case errors.Is(err, errNoReply):
		return CauseConnection
	case errors.As(err, new(*captureError)):
		return CauseInterface
	}
	return CauseOther
}

// authCause is why the agent refuses the credentials of a rule.
func authCause(e *rpcap.Error, r *Rule) Cause {
	switch {
	case e.Code == rpcap.CodeTLSRequired || e.Code == rpcap.CodeWrongVersion:
		return CauseProtocol
	case r.User == "":
		return CauseNullAuth
	}
	return CausePassword
}

// openCause is why the agent cannot open the chosen interface. The list that it has sent tells more than its error, which is
// the same for all causes.
func (s *session) openCause() Cause {
	if s.chosen.down {
		return CauseInterfaceDown
	}
	return CauseInterface
}

// startCause is why the agent refuses STARTCAP, which has one code for nearly everything. A TCP data connection comes last,
// after interface and filter, and the sensor knows whether it has come. Only for the filter the text is looked at: nothing
// but the advice depends on it.
func (s *session) startCause(e *rpcap.Error, connected bool) Cause {
	r := s.chosen.rule
	switch {
	case s.chosen.down:
		return CauseInterfaceDown
	case e.Code == rpcap.CodeUpdateFilter, r.Filter != "" && strings.Contains(strings.ToLower(e.Text), "filter"):
		return CauseFilterRefused
	case e.Code == rpcap.CodeStartCapture && r.TCP && !connected:
		return CauseDataPort
	}
	return CauseInterface
}

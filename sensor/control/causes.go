package control

import (
	"strings"

	"rpcapd/rpcap"
	"rpcapd/sensor/rule"
	"rpcapd/sensor/status"
)

// authCause is why the agent refuses the credentials of a rule.
func authCause(e *rpcap.Error, r *rule.Rule) status.Cause {
	switch {
	case e.Code == rpcap.CodeTLSRequired || e.Code == rpcap.CodeWrongVersion:
		return status.CauseProtocol
	case r.User == "":
		return status.CauseNullAuth
	}
	return status.CausePassword
}

// openCause is why the agent cannot open the chosen interface. The list that it has sent tells more than its error, which is
// the same for all causes.
func (s *session) openCause() status.Cause {
	if s.chosen.Down {
		return status.CauseInterfaceDown
	}
	return status.CauseInterface
}

// startCause is why the agent refuses STARTCAP, which has one code for nearly everything. A TCP data connection comes last,
// after interface and filter, and the sensor knows whether it has come. Only for the filter the text is looked at: nothing
// but the advice depends on it.
func (s *session) startCause(e *rpcap.Error, connected bool) status.Cause {
	r := s.chosen.Rule
	switch {
	case s.chosen.Down:
		return status.CauseInterfaceDown
	case e.Code == rpcap.CodeUpdateFilter, r.Filter != "" && strings.Contains(strings.ToLower(e.Text), "filter"):
		return status.CauseFilterRefused
	case e.Code == rpcap.CodeStartCapture && r.TCP && !connected:
		return status.CauseDataPort
	}
	return status.CauseInterface
}

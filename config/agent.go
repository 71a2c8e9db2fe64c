package config

import (
	"crypto/subtle"

	"golang.org/x/crypto/bcrypt"

	"rpcapd/iface"
)

// DefaultMaxSessions is how many sessions an agent has without a MaxSessions line.
const DefaultMaxSessions = 64

// DefaultPort is the port of a sensor when a line names none, or DEFAULT.
const DefaultPort = 2003

// maxSnaplen is the longest frame that RPCAP carries, in bytes (docs/RPCAP.md,
// STARTCAP).
const maxSnaplen = 262144

// OnClose says what a CLOSE message of an authenticated sensor leads to.
type OnClose int

// What follows CLOSE.
const (
	CloseReconnect OnClose = iota // dial again after a pause
	CloseStop                     // the session ends until the next reload, as the C agent does
)

// String returns the word of the ini.
func (c OnClose) String() string {
	if c == CloseStop {
		return "stop"
	}
	return "reconnect"
}

// Agent is the configuration of the agent. The zero value of each field is its
// default, but for Datagram, RingBytes and SendBuffer, which CommandLine.Apply fills in.
type Agent struct {
	Targets  []Target  // in the order of the lines
	NullAuth bool      // sensors need no password
	Accounts []Account // with which sensors may authenticate

	OnClose        OnClose
	IgnoreSampling bool           // requests to sample are accepted and not obeyed
	NoPromiscuous  bool           // promiscuous mode is never switched on
	MaxSnaplen     uint32         // bytes; 0: no limit but the protocol's
	MaxRate        uint64         // bits per second of export; 0: no limit
	MaxCPU         int            // percent of one core; 0: no limit
	DataPorts      PortRange      // to which a sensor may have frames sent
	User           string         // whom to become after the start; empty: the default
	Ignore         iface.Patterns // interfaces that no line means and no sensor is offered
	MaxSessions    int            // of lines that mean several interfaces, together with all others; 0: DefaultMaxSessions
	Name           string         // what sensors show instead of the address, with %h, %n and %p in it; empty: nothing is sent
	SensorName     string         // what Name is on this host; set by ExpandName
	RawDriver      bool           // capture IP packets by raw sockets, without a capture driver (Windows)

	Datagram   Datagram // -t
	RingBytes  int      // -z: memory of one capture ring
	SendBuffer int      // -u: send buffer of the data socket, in bytes

	// Lenient makes warnings of lines that are not understood, for files that were written for other agents. An
	// ActiveClient line with an option that is not understood is then not used.
	Lenient bool

	Places Places // for messages; only of LoadAgent

	nullAuthSet bool // the file has a NullAuthPermit line, which overrides -n
}

// Authenticate tells whether the password is that of the user. An unknown user
// costs as much time as a known one, so that names cannot be found out.
func (a Agent) Authenticate(user, password string) bool {
	if len(a.Accounts) == 0 {
		return false
	}
	chosen, known := &a.Accounts[0], 0
	for i := range a.Accounts {
		if subtle.ConstantTimeCompare([]byte(a.Accounts[i].Name), []byte(user)) == 1 {
			chosen, known = &a.Accounts[i], 1
		}
	}
	if len(password) > MaxPassword {
		password, known = password[:MaxPassword], 0
	}
	err := bcrypt.CompareHashAndPassword(chosen.Hash, []byte(password))
	return err == nil && known == 1
}

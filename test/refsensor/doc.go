// Package refsensor is a second, small sensor, to judge the agent by: written from the
// description of the protocol, it shares no code with the programs and knows only what
// it needs. It takes one connection, has one capture run over UDP, checks numbered
// frames of a known content, and says what arrived and what did not.
//
//	Frame, Check   the numbered frames, for a generator and for the check
//	Sensor         the control connection and the data port
//	stream         datagrams to frames
//
// It does not reorder datagrams, writes no file and serves no second agent.
package refsensor

// Package rpcap encodes and decodes the RPCAP control protocol, both directions:
// what a sensor asks and what an agent answers.
//
// Every message is a header and a payload; all integers are big-endian, nothing is
// aligned:
//
//	0     1     2           4                       8
//	+-----+-----+-----------+-----------------------+------------ - -
//	| ver | type|   value   |   payload length      |  payload
//	+-----+-----+-----------+-----------------------+------------ - -
//
// Each message is a type with Append, which encodes header and payload, and a Parse
// function, which takes the payload and returns the value and the bytes used.
// The caller skips surplus payload. Unknown values are values or errors,
// never a panic. Messages that are only a header have no type of their own; see
// [AppendEmpty]. [Conn] frames a byte stream into messages.
//
// PACKET is sent on the data connection only. Do not use its payload length: other
// agents write it modulo 65,536. It has a parser of its own, [ParsePacket].
//
// # What it refuses to do
//
// The package has no state machine and no clock (deadlines are arguments), starts no
// goroutine, and logs nothing. It checks a length before it allocates: no input makes a
// parser allocate more than four times the payload and 4 KiB. It validates neither
// filters (package filter does) nor names.
package rpcap

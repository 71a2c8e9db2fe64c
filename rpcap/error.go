package rpcap

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"rpcapd/printable"
)

// MaxErrorText is the longest text that is sent, in bytes: a peer of the old kind
// abandons the session when it gets 256 bytes or more.
const MaxErrorText = 255

// Code is the code of an ERROR message.
type Code uint16

// The error codes. 18 to 20 exist only in newer peers.
const (
	CodeNetwork        Code = 1
	CodeInitTimeout    Code = 2
	CodeAuth           Code = 3
	CodeFindAll        Code = 4
	CodeNoInterface    Code = 5
	CodeOpen           Code = 6
	CodeUpdateFilter   Code = 7
	CodeStats          Code = 8
	CodeRead           Code = 9 // the only one that comes unasked: a capture died
	CodeHostNoAuth     Code = 10
	CodeRemoteAccept   Code = 11 // sent by sensors
	CodeStartCapture   Code = 12
	CodeEndCapture     Code = 13
	CodeRuntimeTimeout Code = 14
	CodeSampling       Code = 15
	CodeWrongMessage   Code = 16
	CodeWrongVersion   Code = 17
	CodeAuthFailed     Code = 18
	CodeTLSRequired    Code = 19
	CodeAuthType       Code = 20
)

var codeNames = [...]string{
	CodeNetwork:        "network",
	CodeInitTimeout:    "initial time-out",
	CodeAuth:           "authentication",
	CodeFindAll:        "interface list",
	CodeNoInterface:    "no interfaces",
	CodeOpen:           "open",
	CodeUpdateFilter:   "update filter",
	CodeStats:          "statistics",
	CodeRead:           "read",
	CodeHostNoAuth:     "host not authorized",
	CodeRemoteAccept:   "not accepted",
	CodeStartCapture:   "start capture",
	CodeEndCapture:     "end capture",
	CodeRuntimeTimeout: "run-time time-out",
	CodeSampling:       "sampling",
	CodeWrongMessage:   "wrong message",
	CodeWrongVersion:   "wrong version",
	CodeAuthFailed:     "authentication failed",
	CodeTLSRequired:    "TLS required",
	CodeAuthType:       "authentication type not supported",
}

// String returns what the code means, or its number.
func (c Code) String() string {
	if int(c) < len(codeNames) && codeNames[c] != "" {
		return codeNames[c]
	}
	return fmt.Sprintf("code %d", uint16(c))
}

// SessionEnds begins the text of an ERROR 9 of an agent that ends the session in order: all
// frames are sent, the numbers are final, and for some seconds it still answers, so that the
// sensor can ask for them. Other agents close the connection without a word.
const SessionEnds = "the agent ends the session"

// Error is the ERROR message; it is a Go error as well. The text is for people.
type Error struct {
	Code Code
	Text string
}

// Error returns "text (error N, meaning)".
func (e *Error) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("error %d (%s)", uint16(e.Code), e.Code)
	}
	return fmt.Sprintf("%s (error %d, %s)", e.Text, uint16(e.Code), e.Code)
}

// EndsSession reports whether the agent says that it ends the session in order.
func (e *Error) EndsSession() bool {
	return e.Code == CodeRead && strings.HasPrefix(e.Text, SessionEnds)
}

// Append encodes the message. What is not printable in the text is replaced by '?',
// and what is beyond MaxErrorText is cut off between two characters.
func (e *Error) Append(dst []byte) []byte {
	text := cleanText(e.Text)
	dst = Header{Type: TypeError, Value: uint16(e.Code), PayloadLen: uint32(len(text))}.Append(dst)
	return append(dst, text...)
}

// ParseError decodes an ERROR message whose payload is there whole. Of a longer text
// MaxErrorText bytes are kept; what could disturb a terminal or a log becomes '?'.
func ParseError(h Header, payload []byte) (*Error, error) {
	if h.Type != TypeError {
		return nil, fmt.Errorf("parse error message: it is %s", h.Type)
	}
	if uint64(len(payload)) < uint64(h.PayloadLen) {
		return nil, short("error message", len(payload), uint64(h.PayloadLen))
	}
	text := payload[:min(h.PayloadLen, textBound)]
	return &Error{Code: Code(h.Value), Text: cleanText(string(bytes.TrimRight(text, "\x00")))}, nil
}

// textBound is how much of a text is looked at: replacing never makes it longer, so
// this is enough to fill MaxErrorText without cutting a character in two first.
const textBound = MaxErrorText + utf8.UTFMax

func cleanText(text string) string {
	return cutText(printable.Text(cutText(text, textBound)), MaxErrorText)
}

// cutText returns at most n bytes of text and no part of a character.
func cutText(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

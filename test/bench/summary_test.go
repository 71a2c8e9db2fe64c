package main

import "testing"

const printed = `2026-01-02T03:04:05.000Z	INFO	sensor	stopping	{"sessions": 2}
rpcap-sensor: 2 connections, 0 refused, 2 sessions ended
10.98.0.1/cap0: ended, rule default, port 2003, udpstr, since 2026-01-02 03:04:05
  forwarded: ifrecv 1000000, krnldrop 8200, ifdrop 0, captured 991800
  received:  datagrams 1040337, bytes 1529743896, frames 991700, lost 1, late 0, duplicate 0, malformed 0, missing 100 frames (tail known)
  output:    written 988262, dropped 3438
10.98.0.2/cap0: ended, rule default, port 2003, udpstr, since 2026-01-02 03:04:05
  forwarded: ifrecv 5, krnldrop 0, ifdrop 0, captured 5
  received:  datagrams 1, bytes 400, frames 5, lost 0, late 0, duplicate 0, malformed 0, missing 0 frames (tail known)
  output:    written 5, dropped 0
`

func TestBooksOfTheSensor(t *testing.T) {
	b, err := readBooks([]byte(printed))
	want := sensorBooks{2, 8200, 991805, 991705, 100, 988267, 3438}
	if err != nil || b != want {
		t.Errorf("%+v, %v, want %+v", b, err, want)
	}
	if wrong := b.check(); len(wrong) > 0 {
		t.Error(wrong)
	}
	b.Missing--
	b.Written--
	if wrong := b.check(); len(wrong) != 2 {
		t.Errorf("two things are wrong, %q were found", wrong)
	}
	if _, err := readBooks([]byte("nothing")); err == nil {
		t.Error("nothing was read without an error")
	}
}

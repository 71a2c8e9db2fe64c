package rpcap

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestAuthRequestHidesPassword(t *testing.T) {
	m := AuthRequest{AuthPassword, "ann", "tops3cret"}
	all := struct {
		A AuthRequest
		B *AuthRequest
		C []AuthRequest
	}{m, &m, []AuthRequest{m}}
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%t", "%c", "%T"} {
		shown = append(shown, fmt.Sprintf(verb, m), fmt.Sprintf(verb, &m), fmt.Sprintf(verb, all))
	}
	j, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(shown, string(j), m.String(), fmt.Sprint(m), fmt.Sprintln(&m)) {
		if strings.Contains(s, "s3cret") || strings.Contains(s, fmt.Sprintf("%x", "s3cret")) || strings.Contains(s, fmt.Sprintf("%X", "s3cret")) {
			t.Errorf("shows the password: %s", s)
		}
	}
	if s := m.String(); !strings.Contains(s, `"ann"`) {
		t.Errorf("%s does not name the user", s)
	}
}

func TestAuthRequestLimits(t *testing.T) {
	long := strings.Repeat("x", 65535)
	m := AuthRequest{AuthPassword, long, long}
	b := m.Append(nil)
	if len(b) != HeaderLen+MaxRequestPayload {
		t.Errorf("largest request has %d bytes, MaxRequestPayload says %d", len(b)-HeaderLen, MaxRequestPayload)
	}
	if got, n, err := ParseAuthRequest(b[HeaderLen:]); err != nil || got != m || n != MaxRequestPayload {
		t.Errorf("used %d: %v", n, err)
	}
	if cut := (AuthRequest{AuthPassword, long + "y", long + "y"}).Append(nil); string(cut) != string(b) {
		t.Error("strings of 65,536 bytes are not cut to 65,535")
	}
	// No strings go with another type, whatever the value holds.
	for _, typ := range []AuthType{AuthNull, 2, 65535} {
		b := AuthRequest{typ, "u", "p"}.Append(nil)
		if got, n, err := ParseAuthRequest(b[HeaderLen:]); err != nil || n != 8 || len(b) != 16 || got != (AuthRequest{Type: typ}) {
			t.Errorf("type %d: %+v, %d, %v", typ, got, n, err)
		}
	}
	if _, _, err := ParseAuthRequest([]byte{0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 'x'}); err == nil {
		t.Error("lengths beyond the payload are accepted")
	}
}

func TestAuthReplyForms(t *testing.T) {
	le := []byte{0, 0, 0, 0, 0xd4, 0xc3, 0xb2, 0xa1}
	for n, want := range []AuthReplyForm{AuthReplyEmpty, 255, AuthReplyVersions, 255, 255, 255, 255, 255, AuthReplyMagic} {
		m, used, err := ParseAuthReply(le[:n])
		if want == 255 {
			if err == nil {
				t.Errorf("%d bytes: %+v, want an error", n, m)
			}
			continue
		}
		if err != nil || m.Form != want || used != n {
			t.Errorf("%d bytes: %+v, %d used, %v", n, m, used, err)
		}
	}
	if m, n, err := ParseAuthReply(append(le, 1, 2, 3)); err != nil || n != 8 || m.ByteOrder != LittleEndian {
		t.Errorf("a longer reply: %+v, %d used, %v", m, n, err)
	}
	for _, magic := range [][]byte{{0, 0, 0, 0}, {0xb2, 0xa1, 0xd4, 0xc3}, {0xa1, 0xb2, 0xc3, 0xd5}} {
		if m, _, err := ParseAuthReply(append([]byte{0, 0, 0, 0}, magic...)); err == nil {
			t.Errorf("magic % x gives %+v", magic, m)
		}
	}
	for _, c := range []struct {
		min, max uint8
		want     bool
	}{{0, 0, true}, {0, 9, true}, {1, 2, false}, {1, 0, false}} {
		if got := (AuthReply{Form: AuthReplyVersions, MinVersion: c.min, MaxVersion: c.max}).Supports(); got != c.want {
			t.Errorf("versions %d to %d: %v", c.min, c.max, got)
		}
	}
}

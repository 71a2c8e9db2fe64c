package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"rpcapd/agent"
)

// fill puts text into every string of a value, and one element into every list.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	}
}

// Whatever the status file says, it gives the terminal no orders and forges no line.
func TestStatusIsPrintable(t *testing.T) {
	lines := func(text string) (human, asJSON string) {
		var st agent.Status
		fill(reflect.ValueOf(&st).Elem(), text)
		st.Reload.Error = ""
		var b strings.Builder
		printStatus(&b, &st, time.Now())
		raw, err := json.Marshal(&st)
		if err != nil {
			t.Fatal(err)
		}
		raw = asciiJSON(raw)
		var back agent.Status
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if back.Sessions[0].LastError != text {
			t.Errorf("JSON says %q, not %q", back.Sessions[0].LastError, text)
		}
		return b.String(), string(raw)
	}
	plain, _ := lines("eth0")
	human, asJSON := lines("\x1b[31m\x07\n\r\u009b\u202e\u200b\U0001f600x")
	if got, want := strings.Count(human, "\n"), strings.Count(plain, "\n"); got != want {
		t.Errorf("%d lines instead of %d:\n%s", got, want, human)
	}
	for _, text := range []string{human, asJSON} {
		for _, r := range strings.ReplaceAll(text, "\n", "") {
			if !unicode.IsPrint(r) {
				t.Errorf("raw %U in %q", r, text)
				break
			}
		}
	}
}

// The status says what is wrong while the state is "capturing".
func TestStatusOfTrouble(t *testing.T) {
	st := agent.Status{Sessions: []agent.SessionStatus{{
		State: agent.StateCapturing, Detail: "cap is down, no frames arrive", Address: "192.0.2.1:2003", Connects: 1,
		SendDrops:  []agent.SendDrop{{Errno: "EPERM", Text: "operation not permitted", Datagrams: 12}},
		SendErrors: []agent.SendError{{Errno: "EHOSTUNREACH", Text: "no route to host", Errors: 3}},
		Capture:    &agent.CaptureStatus{Running: true, Link: agent.LinkDown, Interface: "cap", SendRefused: "operation not permitted (EPERM)"},
	}}}
	var b strings.Builder
	printStatus(&b, &st, time.Now())
	for _, want := range []string{"capturing: cap is down", "no frames, interface down", "12: operation not permitted (EPERM)", "send errors 3: no route to host (EHOSTUNREACH)", "nothing is sent", "connected once"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestStatusOfFile(t *testing.T) {
	st := agent.Status{Sessions: []agent.SessionStatus{{Capture: &agent.CaptureStatus{FileCut: 3, FileOtherLink: 5}}}}
	var b strings.Builder
	printStatus(&b, &st, time.Now())
	if want := "cut 3 frames longer than any snap length, left out 5 of another link type"; !strings.Contains(b.String(), want) {
		t.Errorf("%q is missing in\n%s", want, b.String())
	}
}

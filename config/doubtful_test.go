package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestMakeLenient(t *testing.T) {
	for name, c := range map[string]struct{ before, after string }{
		"good":              {"ActiveClient = a\n", ""},
		"unknown key":       {"ActiveClient = a\nColour = red\n", "ActiveClient = a\nColour = red\nLenient = YES\n"},
		"said otherwise":    {"Lenient = no\nColour = red\n", "Lenient = YES\nColour = red\n"},
		"an error as well":  {"Colour = red\nMaxRate = fast\n", ""},
		"behind an example": {"#Lenient = NO\n[x]\nColour = red\r\n", "#Lenient = NO\nLenient = YES\r\n[x]\nColour = red\r\n"},
		"unknown option":    {"ActiveClient = a, 2003, ifnmae=eth0\n", "ActiveClient = a, 2003, ifnmae=eth0\nLenient = YES\n"},
		"no file of ours":   {"ActiveClient = \xff\n", ""},
	} {
		got, changed := MakeLenient("x.ini", []byte(c.before))
		if changed != (c.after != "") || changed && string(got) != c.after {
			t.Errorf("%s: changed %v\n%s", name, changed, got)
		}
		if _, again := MakeLenient("x.ini", got); changed && again {
			t.Errorf("%s: changed twice", name)
		}
	}
}

func TestCommentOut(t *testing.T) {
	const sensor = "Listn = 10.0.0.1\n[rule a]\nPort = 2003\nFiltr = tcp\n[rul b]\n# why\nPort = 2004\n\n[rule c]\nPort = 2005\n"
	_, problems := ParseSensor("s.ini", []byte(sensor))
	got, done := CommentOut([]byte(sensor), problems)
	want := "#Listn = 10.0.0.1\n[rule a]\nPort = 2003\n#Filtr = tcp\n#[rul b]\n# why\n#Port = 2004\n\n[rule c]\nPort = 2005\n"
	if string(got) != want || len(done) != 4 {
		t.Errorf("got %q\n%s", done, got)
	}
	s, problems := ParseSensor("s.ini", got)
	if problems.Err() != nil || len(s.Rules) != 2 || s.Rules[1].Port != 2005 {
		t.Errorf("%v, %v", s.Rules, problems)
	}

	// A line that would be a session is no comment without a word from its owner.
	const agentText = "ActiveClient = a, 2003, ifnmae=eth1\nColour = red\n"
	_, problems = ParseAgent("x.ini", []byte(agentText))
	if got, _ := CommentOut([]byte(agentText), problems); string(got) != "ActiveClient = a, 2003, ifnmae=eth1\n#Colour = red\n" {
		t.Errorf("got\n%s", got)
	}
}

// TestSectionsAreJoined: sections without a name were taken together before they were refused, and the later line counted.
func TestSectionsAreJoined(t *testing.T) {
	const before = "[tap]\nInterface = a\nMTU = 1500\n[rule x]\nPort = 2004\n[ TAP ]\n# why\nInterface = b\n[data]\nPorts = 2\n[tap]\nGuard = no\n"
	_, problems := ParseSensor("s.ini", []byte(before))
	if !problems.OnlyDoubtful() || len(problems) != 2 {
		t.Fatal(problems)
	}
	got, done := CommentOut([]byte(before), problems)
	want := "[tap]\nInterface = a\nMTU = 1500\n#[ TAP ]\n# why\nInterface = b\n#[tap]\nGuard = no\n[rule x]\nPort = 2004\n[data]\nPorts = 2\n"
	if string(got) != want || len(done) != 2 {
		t.Errorf("got %q\n%s", done, got)
	}
	s, problems := ParseSensor("s.ini", got)
	if problems.Err() != nil || len(s.TAP) != 1 || s.TAP[0].Interface != "b" || s.TAP[0].MTU != 1500 || s.TAP[0].Guard || s.Data.Count != 2 {
		t.Errorf("%+v, %v", s.TAP, problems)
	}
}

// TestSecretsAreNotShown: a message goes into logs.
func TestSecretsAreNotShown(t *testing.T) {
	const text = "[rule a]\nUser = x\nPassword = hush\u200bhush\nPass\u200bword = hush\n[http]\nAccount = ann, hush\u00a0\n"
	_, problems := ParseSensor("s.ini", []byte(text))
	_, done := CommentOut([]byte(text), problems)
	if all := fmt.Sprint(problems, done); len(problems) < 3 || len(done) < 3 || strings.Contains(all, "hush") {
		t.Error(all)
	}
}

// TestInvisibleStaysInForce: a line with an invisible character at its end was in force before, and so were those below a
// heading with one. Without them more agents and more frames would be let in.
func TestInvisibleStaysInForce(t *testing.T) {
	const nbsp, zero = "\u00a0", "\u200b"
	const before = "[rule dmz" + nbsp + "]" + nbsp + "\nAllowAgents = 10.0.0.0/8, 10.1.0.0/16" + nbsp + "\nFilter" + nbsp + "=" + nbsp + "tcp" + nbsp +
		"\nPo" + zero + "rt = 2009\nColour = red" + nbsp + "\n[rule web" + zero + "]\nPort = 2004\n[rul x" + nbsp + "]\nPort = 2005\n"
	_, problems := ParseSensor("s.ini", []byte(before))
	if !problems.OnlyDoubtful() {
		t.Fatal(problems)
	}
	got, done := CommentOut([]byte(before), problems)
	s, problems := ParseSensor("s.ini", got)
	if problems.Err() != nil || len(s.Rules) != 2 || len(done) != 8 {
		t.Fatalf("%q, %v\n%s", done, problems, got)
	}
	if r := s.Rules[0]; r.Name != "dmz" || len(r.AllowAgents) != 2 || r.Filter != "tcp" || r.Port != DefaultPort {
		t.Errorf("%+v\n%s", r, got)
	}
	if r := s.Rules[1]; r.Name != "web" || r.Port != 2004 {
		t.Errorf("%+v\n%s", r, got)
	}
}

// TestEmptyTextOfBefore: an empty text in quotes meant none, and an upgrade keeps such a file starting.
func TestEmptyTextOfBefore(t *testing.T) {
	const before = "[rule a]\nFilter = \"\"\nUser = \" \"\n"
	_, problems := ParseSensor("s.ini", []byte(before))
	got, _ := CommentOut([]byte(before), problems)
	if !problems.OnlyDoubtful() || string(got) != "[rule a]\n#Filter = \"\"\n#User = \" \"\n" {
		t.Errorf("%v\n%s", problems, got)
	}
	if _, changed := MakeLenient("x.ini", []byte("User = \"\"\n")); !changed {
		t.Error("an agent with an empty User would not start")
	}
	if _, changed := MakeLenient("x.ini", []byte("MaxSnaplen = \"\"\n")); changed { // it was an error before
		t.Error("lenient with an empty MaxSnaplen")
	}
}

// With CommentOut an edit takes a file that has lines of another agent.
func TestEditCommentsOut(t *testing.T) {
	const old = "Colour = red\nActiveClient = b, 1\n"
	e := Edit{Targets: []Target{line("a", 1, "")}}
	if _, _, err := EditAgent("x.ini", []byte(old), e); err == nil || !strings.Contains(err.Error(), "Colour: unknown key") {
		t.Errorf("got %v", err)
	}
	e.CommentOut = true
	got, done, err := EditAgent("x.ini", []byte(old), e)
	if err != nil || string(got) != "#Colour = red\nActiveClient = b, 1\nActiveClient = a, 1\n" || !slices.Contains(done, `line 1 made a comment: "Colour = red"`) {
		t.Errorf("%v, %q\n%s", err, done, got)
	}
}

// A line that is not used does not stand for the same one without the slip.
func TestEditBesideDisabledLine(t *testing.T) {
	const old = "Lenient = yes\nActiveClient = a, 1, ifnmae=eth1\n"
	got, _, err := EditAgent("x.ini", []byte(old), Edit{Targets: []Target{line("a", 1, "")}})
	if err != nil || !strings.HasSuffix(string(got), "\nActiveClient = a, 1\n") {
		t.Errorf("%v\n%s", err, got)
	}
}

package config

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestAuthenticate(t *testing.T) {
	var a Agent
	if a.Authenticate("alice", "") || a.Authenticate("", "") {
		t.Error("let in without any account")
	}
	long := strings.Repeat("p", MaxPassword)
	for name, password := range map[string]string{"alice": "wonderland", "bob": long} {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		a.Accounts = append(a.Accounts, Account{Name: name, Hash: hash})
	}
	tests := []struct {
		user, password string
		want           bool
	}{
		{"alice", "wonderland", true},
		{"bob", long, true},
		{"alice", "Wonderland", false},
		{"alice", "", false},
		{"alice", long, false},
		{"Alice", "wonderland", false},
		{"", "wonderland", false},
		{"mallory", "wonderland", false},
		{"mallory", long, false},
		{"bob", long + "p", false}, // bcrypt alone would not see the difference
		{"bob", "wonderland", false},
	}
	for _, tt := range tests {
		if got := a.Authenticate(tt.user, tt.password); got != tt.want {
			t.Errorf("%q, %q: got %v", tt.user, tt.password, got)
		}
	}
}

func TestNewAccount(t *testing.T) {
	account, err := NewAccount("alice", "wonder, land")
	if err != nil {
		t.Fatal(err)
	}
	a := agent(t, "ActiveClient = a\n"+account.Setting()+"\n")
	if !a.Authenticate("alice", "wonder, land") {
		t.Error("the account is not good for its own password")
	}
	for _, text := range []string{fmt.Sprint(account), fmt.Sprintf("%+v %#v %v", account, account, a.Accounts)} {
		if strings.Contains(text, "$2a$") {
			t.Errorf("prints the hash: %s", text)
		}
	}
	for _, bad := range [][2]string{
		{"", "x"}, {"a b", "x"}, {"a,b", "x"}, {"a#b", "x"}, {strings.Repeat("a", 256), "x"},
		{"alice", ""}, {"alice", strings.Repeat("p", MaxPassword+1)},
	} {
		if _, err := NewAccount(bad[0], bad[1]); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestAccountNamedTwice(t *testing.T) {
	text := "ActiveClient = a\nAccount = alice, " + someHash + "\nAccount = alice " + someHash + "\n"
	_, problems := ParseAgent("x.ini", []byte(text))
	if len(problems) != 1 || problems[0].Line != 3 || !strings.Contains(problems[0].Text, "a user has one password") {
		t.Errorf("got %v", problems)
	}
}

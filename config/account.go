package config

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/bcrypt"
)

const (
	// MaxPassword is the longest password, in bytes: bcrypt reads no further.
	MaxPassword = 72
	// passwordCost makes one attempt cost about 0.1 s of CPU.
	passwordCost = 11
	// maxPasswordCost keeps one attempt of a remote party below about 3 s of CPU.
	maxPasswordCost = 15
)

// Account is one password under which a sensor may give orders.
type Account struct {
	Name string
	Hash []byte // bcrypt, as in "$2a$11$…"
}

// String returns the name. The hash is not for logs.
func (a Account) String() string { return "account " + a.Name }

// GoString is String, for %#v.
func (a Account) GoString() string { return a.String() }

// NewAccount hashes a password.
func NewAccount(name, password string) (Account, error) {
	if err := checkAccountName(name); err != nil {
		return Account{}, err
	}
	switch {
	case password == "":
		return Account{}, errors.New("password: empty")
	case len(password) > MaxPassword:
		return Account{}, fmt.Errorf("password: longer than %d bytes", MaxPassword)
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(password), passwordCost)
	if err != nil {
		return Account{}, fmt.Errorf("hash password: %w", err)
	}
	return Account{Name: name, Hash: hash}, nil
}

// Setting returns the line of the ini that makes the account.
func (a Account) Setting() string { return fmt.Sprintf("Account = %s, %s", a.Name, a.Hash) }

// parseAccount reads "name, hash"; command is what makes such a line. It repeats nothing of the hash in an error: it
// may be a password that was put there by mistake.
func parseAccount(value, command string) (Account, error) {
	words := splitWords(value)
	if len(words) != 2 {
		return Account{}, fmt.Errorf("Account: write NAME, HASH as %s prints it", command)
	}
	name, hash := words[0], []byte(words[1])
	if err := checkAccountName(name); err != nil {
		return Account{}, fmt.Errorf("Account: %w", err)
	}
	cost, err := bcrypt.Cost(hash)
	if err != nil || len(hash) != 60 {
		return Account{}, fmt.Errorf("Account %q: what follows the name is no bcrypt hash; let %s make the line", name, command)
	}
	if cost > maxPasswordCost {
		return Account{}, fmt.Errorf("Account %q: bcrypt cost %d: above %d each attempt would take seconds; let %s make the line", name, cost, maxPasswordCost, command)
	}
	return Account{Name: name, Hash: hash}, nil
}

func checkAccountName(name string) error {
	if name == "" || len(name) > 255 {
		return fmt.Errorf("user name %q: it has 1 to 255 bytes", name)
	}
	for _, c := range name {
		if c <= ' ' || c == 0x7f || isSeparator(byte(c)) && c < 0x80 || c == '#' || c == '"' || c == '=' {
			return fmt.Errorf("user name %q: write it without blanks, commas, semicolons, quotation marks, # and =", name)
		}
	}
	return nil
}

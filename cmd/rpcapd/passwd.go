package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rpcapd/config"
)

func (a *app) passwdCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "passwd NAME",
		Short: "Make an Account line for a sensor that gives a password",
		Long: `Ask for a password, twice and without showing it, and print the Account line for the ini. If standard input is no
terminal, its first line is the password. Only a hash of it is printed; it cannot be turned back.

The password travels to the agent in clear text, as the protocol has it: take one that serves for nothing else.`,
		Example: "  rpcapd passwd sensor1 | sudo tee -a /etc/rpcapd/rpcapd.ini\n  pwgen 20 1 | tee secret | rpcapd passwd sensor1",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("passwd: give the one name that the sensor will use, as in rpcapd passwd sensor1")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.passwd(args[0]) },
	}
}

func (a *app) passwd(name string) error {
	password, err := a.readPassword()
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	account, err := config.NewAccount(name, password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, account.Setting())
	return err
}

// readPassword asks at a terminal, else takes one line.
func (a *app) readPassword() (string, error) {
	fd := int(a.in.Fd())
	if !term.IsTerminal(fd) {
		return firstLine(a.in)
	}
	var words [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(a.err, prompt)
		word, err := term.ReadPassword(fd)
		fmt.Fprintln(a.err)
		if err != nil {
			return "", err
		}
		words[i] = string(word)
	}
	if words[0] != words[1] {
		return "", errors.New("the two are not the same")
	}
	return words[0], nil
}

// firstLine reads no more than the longest password and a line end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, config.MaxPassword+3)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

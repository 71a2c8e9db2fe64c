package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"rpcapd/config"
)

// passwdCommand makes the accounts of [http].
func passwdCommand(stdout, stderr *os.File) *cobra.Command {
	return &cobra.Command{
		Use:   "passwd NAME",
		Short: "Make an Account line for those who may look at the health page",
		Long: `passwd asks for a password, twice and without showing it, and prints the Account line for the section [http]. If
standard input is no terminal, its first line is the password. Only a hash of it is printed; it cannot be turned back.`,
		Example: "  rpcap-sensor passwd ops",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("passwd: give one name, as in rpcap-sensor passwd ops")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			password, err := newPassword(os.Stdin, stderr)
			if err != nil {
				return fmt.Errorf("read password: %w", err)
			}
			account, err := config.NewAccount(args[0], password)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, account.Setting())
			return err
		},
	}
}

// newPassword asks twice at a terminal, else takes one line.
func newPassword(stdin, stderr *os.File) (string, error) {
	if !isTerminal(stdin) {
		line, err := bufio.NewReader(io.LimitReader(stdin, config.MaxPassword+3)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	var words [2]string
	for i, prompt := range []string{"Password: ", "Once more: "} {
		fmt.Fprint(stderr, prompt)
		word, err := term.ReadPassword(int(stdin.Fd()))
		fmt.Fprintln(stderr)
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

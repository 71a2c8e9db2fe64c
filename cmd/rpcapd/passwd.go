package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/password"
	"rpcapd/config"
)

func (a *app) passwdCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "passwd NAME",
		Short: "Create an Account line for a sensor that sends a password",
		Long: `Ask for a password twice, without showing it, and print the Account line for the ini. If standard input is not a
terminal, its first line is the password. The line has only a hash, from which nobody can compute the password.

The protocol sends the password in clear text, so choose one that you use nowhere else.`,
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
	word, err := password.Choose(a.in, a.err)
	if err != nil {
		return err
	}
	account, err := config.NewAccount(name, word)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, account.Setting())
	return err
}

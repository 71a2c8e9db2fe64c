package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/password"
	"rpcapd/config"
)

// passwdCommand makes the accounts of [http].
func passwdCommand(stdout, stderr *os.File) *cobra.Command {
	return &cobra.Command{
		Use:   "passwd NAME",
		Short: "Create an Account line for a user of the health page",
		Long: `Ask for a password twice, without showing it, and print the Account line for the section [http]. If standard input is
not a terminal, its first line is the password. The line has only a hash, from which nobody can compute the password.`,
		Example: "  rpcap-sensor passwd ops",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("passwd: give one name, as in rpcap-sensor passwd ops")}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			word, err := password.Choose(os.Stdin, stderr)
			if err != nil {
				return err
			}
			account, err := config.NewAccount(args[0], word)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(stdout, account.Setting())
			return err
		},
	}
}

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

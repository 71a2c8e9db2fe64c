package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// upgradeIniCommand is for the scripts of packages. It is given the files that the program before would start with.
func (a *app) upgradeIniCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "upgrade-ini FILE...",
		Short:  "Keep files of an earlier version usable",
		Hidden: true,
		RunE: func(_ *cobra.Command, files []string) error {
			for _, file := range files {
				if err := a.upgradeIni(file); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// upgradeIni adds Lenient = YES to a file whose only errors are lines that an earlier version passed over: the agent
// must still start with it after the next boot.
func (a *app) upgradeIni(file string) error {
	f, err := openNow(file)
	if err != nil {
		return fmt.Errorf("upgrade ini: %w", err)
	}
	data, err := readIni(f)
	if err != nil {
		return fmt.Errorf("upgrade ini: %w", err)
	}
	edited, changed := config.MakeLenient(file, data)
	if !changed {
		return nil
	}
	if err := inifile.Replace(file, edited, agentGroup); err != nil {
		return fmt.Errorf("upgrade ini: %w", err)
	}
	_, problems := config.ParseAgent(file, edited)
	for _, p := range problems {
		if p.Doubtful {
			fmt.Fprintln(a.out, p)
		}
	}
	fmt.Fprintf(a.out, "%s: these lines are errors now; \"Lenient = YES\" was added, so that the agent still starts and does what it did. Mend or remove them, then remove it\n", file)
	return nil
}

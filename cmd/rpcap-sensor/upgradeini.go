package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/inifile"
	"rpcapd/config"
)

// upgradeIniCommand is for the scripts of packages. It is given the files that the program before would start with.
func upgradeIniCommand(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    "upgrade-ini FILE...",
		Short:  "Keep files of an earlier version usable",
		Hidden: true,
		RunE: func(_ *cobra.Command, files []string) error {
			for _, file := range files {
				if err := upgradeIni(file, stdout); err != nil {
					return fmt.Errorf("upgrade ini: %w", err)
				}
			}
			return nil
		},
	}
}

// upgradeIni makes comments of lines that an earlier version passed over, joins sections that it took together, and takes
// out invisible characters, so that the sensor still starts with the file after the next boot, and does what it did. The
// file as it was is kept beside it.
func upgradeIni(file string, w io.Writer) error {
	_, problems, err := config.LoadSensor(file)
	if err != nil || !problems.OnlyDoubtful() {
		return err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	edited, done := config.CommentOut(data, problems)
	for range 2 { // a section that was joined, or whose name is mended, is read for the first time
		_, problems = config.ParseSensor(file, edited)
		if !problems.OnlyDoubtful() {
			break
		}
		var more []string
		edited, more = config.CommentOut(edited, problems)
		done = append(done, more...)
	}
	if _, left := config.ParseSensor(file, edited); left.Err() != nil {
		return nil // the script says what is wrong with it
	}
	kept, err := inifile.Keep(file, data)
	if err != nil {
		return fmt.Errorf("keep the file as it is: %w", err)
	}
	if err := inifile.Replace(file, edited, ""); err != nil {
		return err
	}
	for _, what := range done {
		fmt.Fprintf(w, "%s: %s\n", file, what)
	}
	_, err = fmt.Fprintf(w, "%s: such lines are errors now; the sensor works as before. The original file is %s\n", file, kept)
	return err
}

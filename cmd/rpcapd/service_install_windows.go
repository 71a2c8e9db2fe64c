package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rpcapd/cmd/internal/eventlog"
	"rpcapd/cmd/internal/inifile"
	"rpcapd/cmd/internal/winservice"
	"rpcapd/config"
)

// drivers are the services of the drivers of Npcap and WinPcap.
var drivers = []string{"npcap", "npf"}

const accountUse = "run as this `account`: LocalService, NetworkService, NT SERVICE\\rpcapd, or LocalSystem for a driver that lets only administrators capture"

// definition is the service as it is to be, with an ini and the account of a flag, which can be empty.
func (a *app) definition(ini, account string) (*winservice.Definition, error) {
	d := &winservice.Definition{
		Name: serviceName, DisplayName: "rpcapd packet forwarding agent",
		Description: "Captures packets that a sensor asks for, within the limits of rpcapd.ini, and forwards them to it.",
		Drivers:     drivers, DataDir: configurationDir(), RunDir: serviceRunDir(), Files: []string{ini, optionsFile(ini)},
	}
	if account != "" {
		parsed, err := winservice.ParseAccount(account, serviceName)
		if err != nil {
			return nil, usageError{fmt.Errorf("--account: %w", err)}
		}
		d.Account = parsed
	}
	return d, nil
}

func (a *app) serviceInstallCommand() *cobra.Command {
	var file, account string
	cmd := &cobra.Command{
		Use:   "install [-f INI] [-- OPTIONS]",
		Short: "Install the service; it starts with Windows",
		Long: `Install the service. It starts with Windows from now on, and now with rpcapd service start. OPTIONS are those of rpcapd
itself that the service is to run with; they are kept beside the ini, in a file that ends with .options. An ini that has errors is refused; one that does not exist is made, without a sensor.
If anything fails, no service is left behind.`,
		Example: "  rpcapd service install\n  rpcapd service install --account LocalSystem\n  rpcapd service install -- -z 64M -t jumbo",
		RunE:    func(_ *cobra.Command, options []string) error { return a.installService(file, account, options) },
	}
	cmd.Flags().StringVarP(&file, "file", "f", a.defaultFile, "the `ini` of the service")
	cmd.Flags().StringVar(&account, "account", "LocalService", accountUse)
	return cmd
}

func (a *app) installService(file, account string, options []string) error {
	ini, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	d, err := a.definition(ini, account)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	d.Command = []string{program, "service", "run", "-f", ini}
	set, err := a.checkOptions(ini, options)
	if err != nil {
		return err
	}
	_, problems, err := config.LoadAgent(ini)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := winservice.ProtectRunDir(serviceName, d.DataDir, d.RunDir); err != nil { // before anything is put there
			return withCure(err)
		}
		text, err := readIniOrTemplate(ini)
		if err != nil {
			return err
		}
		if err := inifile.Replace(ini, text, ""); err != nil {
			return fmt.Errorf("write %s: %w", ini, withCure(err))
		}
		fmt.Fprintf(a.out, "%s made; it names no sensor yet: rpcapd setup --sensor HOST[:PORT]\n", ini)
	case err != nil:
		return fmt.Errorf("nothing is installed: %w", withCure(err))
	case problems.Err() != nil:
		return fmt.Errorf("nothing is installed, because the ini has errors:\n%w", problems.Err())
	}
	notes, err := d.Install()
	if err != nil {
		return err
	}
	err = eventlog.Install(serviceName)
	if err == nil && len(options) > 0 {
		err = a.keepOptions(d, optionsFile(ini), set)
	}
	if err != nil {
		return errors.Join(err, winservice.Uninstall(serviceName))
	}
	for _, note := range notes {
		fmt.Fprintln(a.out, note)
	}
	fmt.Fprintf(a.out, "the service %s is installed, with %s; start it now with: rpcapd service start\n", serviceName, ini)
	return nil
}

// checkOptions refuses options that the service could not start with: those that are given, else those that the file has. It
// returns the given ones in one line.
func (a *app) checkOptions(ini string, options []string) (set string, err error) {
	if len(options) == 0 {
		_, err := a.serviceSettings([]string{"-f", ini})
		return "", err
	}
	s, err := a.parseService(options)
	if err != nil {
		return "", err
	}
	if s.file != "" {
		return "", usageError{errors.New("-f: give the ini before the --, as in rpcapd service install -f INI -- OPTIONS")}
	}
	if set, err = joinOptions(options); err != nil {
		return "", usageError{err}
	}
	return set, nil
}

// keepOptions writes the options of the service into the file that it reads.
func (a *app) keepOptions(d *winservice.Definition, path, set string) error {
	text, err := readOptionsText(path)
	if err != nil {
		return err
	}
	edited, kept := setOptions(text, set)
	out := func(format string, args ...any) { fmt.Fprintf(a.out, format+"\n", args...) }
	if err := replaceOptions(path, text, edited, set, kept, out); err != nil {
		return withCure(err)
	}
	return d.ProtectFiles()
}

// serviceConfigureCommand is for the installer, which makes the service itself.
func (a *app) serviceConfigureCommand() *cobra.Command {
	var file, account, start string
	cmd := &cobra.Command{
		Use:   "configure",
		Short: "Set up a service that is installed: account, start, rights, restart, driver",
		Long: `Bring the settings of the installed service, the rights to its folders, and its source of events to what rpcapd service
install makes of them. The installer calls it. Call it yourself after you have installed or removed a capture driver, which
the service starts after, or to change the account or the kind of start. The command line stays.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			ini, err := filepath.Abs(file)
			if err != nil {
				return err
			}
			d, err := a.definition(ini, account)
			if err != nil {
				return err
			}
			if start != "" {
				if d.Start, err = winservice.ParseStart(start); err != nil {
					return usageError{fmt.Errorf("--start: %w", err)}
				}
			}
			notes, err := d.Configure()
			if err != nil {
				return withCure(err)
			}
			for _, note := range notes {
				fmt.Fprintln(a.out, note)
			}
			if err := eventlog.Install(serviceName); err != nil {
				return withCure(err)
			}
			fmt.Fprintf(a.out, "the service %s is set up; what it runs with changes at its next start\n", serviceName)
			return nil
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", a.defaultFile, "the `ini` of the service")
	cmd.Flags().StringVar(&account, "account", "", accountUse+" (default: it stays)")
	cmd.Flags().StringVar(&start, "start", "", "how it starts, a `word`: auto, with Windows; demand, when it is asked to; disabled (default: it stays)")
	return cmd
}

func (a *app) serviceUninstallCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "uninstall",
		Short: "Stop the service and remove it; the ini stays",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if err := winservice.Uninstall(serviceName); err != nil {
				return err
			}
			if err := eventlog.Remove(serviceName); err != nil {
				return withCure(err)
			}
			if err := os.RemoveAll(serviceRunDir()); err != nil {
				return withCure(err)
			}
			fmt.Fprintf(a.out, "the service %s is removed; %s stays\n", serviceName, configurationDir())
			return nil
		},
	}
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"rpcapd/agent"
	"rpcapd/numbers"
)

const (
	// reloadTimeout bounds the wait for the running agent's answer, which comes within moments.
	reloadTimeout = 15 * time.Second
	reloadPoll    = 20 * time.Millisecond
)

func (a *app) reloadCommand() *cobra.Command {
	var runDir string
	var allowEmpty bool
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Reload the ini of the running agent and report the outcome",
		Long: reloadHow + `, and wait until it has reloaded its ini. Sessions whose line did not
change continue without interruption. If the ini has an error, the agent keeps its configuration, and the command prints
the errors. The exit status is 1 then, and 3 if no agent runs. The agent also refuses an ini that leaves no session,
unless you give --allow-empty.`,
		Example: reloadExample,
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return a.reload(runDir, allowEmpty) },
	}
	cmd.Flags().StringVar(&runDir, "run-dir", clientRunDir(), "run directory of the agent")
	cmd.Flags().BoolVar(&allowEmpty, "allow-empty", false, "accept an ini without sensors, which ends all sessions")
	return cmd
}

func (a *app) reload(runDir string, allowEmpty bool) error {
	st, err := agent.Running(runDir)
	if err != nil {
		return fmt.Errorf("reload: %w", withCure(err))
	}
	if allowEmpty {
		withdraw, err := agent.AllowEmpty(runDir, st)
		if err != nil {
			return fmt.Errorf("reload: %w", withCure(err))
		}
		defer withdraw()
	}
	done, err := askReload(runDir, st)
	if err != nil {
		return err
	}
	if done.Reload.Error != "" {
		return fmt.Errorf("reload refused, process %d keeps its old configuration:\n%s", done.PID, done.Reload.Error)
	}
	_, err = fmt.Fprintf(a.out, "reloaded: process %d uses %s, %s\n", done.PID, done.Config, numbers.Things(len(done.Sessions), "session"))
	return err
}

// askReload makes a running agent read its ini and returns its status afterwards.
func askReload(runDir string, before *agent.Status) (*agent.Status, error) {
	if err := sendReload(runDir, before.PID); err != nil {
		return nil, fmt.Errorf("reload: %w", withCure(err))
	}
	for end := time.Now().Add(reloadTimeout); time.Now().Before(end); time.Sleep(reloadPoll) {
		st, err := agent.Running(runDir)
		switch {
		case errors.Is(err, agent.ErrNotRunning):
			return nil, fmt.Errorf("reload: process %d has ended", before.PID)
		case err == nil && st.PID != before.PID:
			return nil, fmt.Errorf("reload: process %d has ended, %d runs instead", before.PID, st.PID)
		case err == nil && st.Reload.Count > before.Reload.Count:
			return st, nil
		}
	}
	return nil, fmt.Errorf("reload: process %d did not answer within %v", before.PID, reloadTimeout)
}

// withCure tells an ordinary user who lacks a right how to get it.
func withCure(err error) error {
	if cure, may := notAllowed(); may && errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; %s", err, cure)
	}
	return err
}

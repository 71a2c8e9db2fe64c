package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"rpcapd/agent"
	"rpcapd/cmd/internal/build"
	"rpcapd/cmd/internal/systemd"
	"rpcapd/config"
	"rpcapd/privilege"
)

// run is the daemon: it ends with a signal, or with an error if it cannot start.
func (a *app) run(s *settings) error {
	if s.readFile == "-" && s.daemon {
		return usageError{errors.New("-r - reads standard input, which -d closes; use one of them")}
	}
	detaches := s.daemon && a.parent == nil && !underSystemd()
	if a.parent == nil { // the process in the background is given the same command line
		if err := s.saveFile(); err != nil {
			return err
		}
	}
	log, err := s.newLogger(a.err, a.parent != nil || a.service)
	if err != nil {
		return err
	}
	path, err := s.source()
	if err != nil {
		return err
	}
	ini, cfg, err := s.load(path, log)
	if err != nil {
		return err
	}
	if detaches {
		return detach()
	}
	held, err := s.holdIni(path, log)
	if err != nil {
		return err
	}
	defer held.Close()
	if len(s.envNames) > 0 {
		log.Info("the environment configures the agent", zap.Strings("variables", s.envNames))
	}
	for _, message := range s.envStrange {
		log.Warn(message)
	}
	for _, note := range s.notes() {
		log.Info(note)
	}
	if err := tune(s.cpu, s.nice); err != nil {
		log.Warn("running as the system schedules it", zap.Error(err))
	}
	threads := newProcs(s.cpu != cpuAny)
	threads.follow(cfg.Targets)
	runDir := s.openRunDir(cfg.User, log)
	if err := s.dropPrivileges(cfg.User, log); err != nil {
		return err
	}
	o := s.agentOptions(cfg, path, log)
	o.RunDir, o.Resized = runDir, threads.sessions
	c := a.control
	if c == nil {
		c = a.signals()
	}
	defer c.watch(path, log)()
	o.Started = func() { c.started(log) }
	sup, err := agent.New(o)
	if err != nil {
		return err
	}
	return a.supervise(c, s, sup, ini, cfg.User, log)
}

// holdIni keeps a second agent from starting with the same ini. What is read from a file, or only counted, comes
// to no sensor twice. Where locks do not work the agent goes without.
func (s *settings) holdIni(path string, log *zap.Logger) (io.Closer, error) {
	if path == "" || s.readFile != "" || s.dryRun {
		return io.NopCloser(nil), nil
	}
	held, err := agent.HoldIni(path)
	if errors.Is(err, agent.ErrIniTaken) {
		return nil, fmt.Errorf("not started: %w", err)
	}
	if err != nil {
		log.Info("cannot detect a second agent with this ini", zap.Error(err))
		return io.NopCloser(nil), nil
	}
	return held, nil
}

func (s *settings) agentOptions(cfg config.Agent, path string, log *zap.Logger) agent.Options {
	return agent.Options{
		Config: cfg, Logger: log, Version: build.Version(version), ConfigFile: path,
		ReadFile: s.readFile, ReadOnce: s.readFile != "", IPv4Only: s.ipv4, DryRun: s.dryRun, LogStats: s.logStats,
		GSO: s.gso,
	}
}

// supervise runs the agent until it is told to end.
func (a *app) supervise(c *control, s *settings, sup *agent.Supervisor, ini *iniFile, user string, log *zap.Logger) error {
	defer c.stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.onReload(func() {
			cfg, err := s.reload(ini, user, sup.MayEmpty, log)
			if err == nil {
				sup.Reload(cfg)
			}
			sup.Reloaded(err)
		})
	}()
	if every := systemd.WatchdogInterval(); every > 0 {
		go feedWatchdog(c.stopped, sup.Progress(), every, log)
	}
	if a.service {
		go endIfStuck(c.stopped, sup.Progress().Stuck, os.Exit, log)
	}
	log.Info("agent started", zap.String("version", build.Version(version)))
	err := sup.Run(c.stopped)
	_ = systemd.Notify("STOPPING=1") // it knows anyway when it has asked for it
	c.stop()
	<-done
	log.Info("agent stopped")
	return err
}

// openRunDir makes the run directory and opens it while the process may still reach
// it. Without one the agent works, and only its status is not to be seen.
func (s *settings) openRunDir(user string, log *zap.Logger) *agent.RunDir {
	if s.runDir == "" {
		if os.Geteuid() > 0 {
			log.Warn("no status files: this user has no private folder for them; set XDG_RUNTIME_DIR, or name one with --run-dir here and for rpcapd status")
		}
		return nil
	}
	if s.readFile == "" || user != "" { // the process is about to change its user
		if err := prepareRunDir(s.runDir, user); err != nil {
			log.Warn("run directory not prepared", zap.Error(err))
		}
	}
	dir, err := agent.OpenRunDir(s.runDir)
	if err != nil {
		log.Warn("no status files", zap.Error(err))
		return nil
	}
	if s.runDir == fallbackRunDir(os.Geteuid()) && !ownRunDir(s.runDir, os.Geteuid()) { // somebody was quicker
		log.Warn("no status files: another user owns the folder", zap.String("dir", s.runDir))
		return nil
	}
	return dir
}

// dropPrivileges leaves the process nothing but the right to capture. A capture file
// may be readable for root only, and needs no right to capture: reading one, the
// agent stays what it is unless a user is named.
func (s *settings) dropPrivileges(user string, log *zap.Logger) error {
	if s.readFile != "" && user == "" {
		return nil
	}
	res, err := privilege.Drop(user, fallbackUsers...)
	if err != nil {
		return err
	}
	for _, step := range res.Skipped {
		log.Info("privilege kept", zap.String("step", step))
	}
	if res.User != "" {
		log.Info("privileges dropped", zap.String("user", res.User))
	}
	if !res.NetRaw && s.readFile == "" {
		err := errors.New("no right to capture: " + privilege.HowToCapture(selfPath()))
		if privilege.InImage() { // it comes with a new container only
			return err
		}
		log.Error(err.Error())
	}
	return nil
}

// newLogger logs to standard error and, if asked, to the log of the system: syslog, or the event log of Windows. In the
// background and as a service there is only that. The error is that of the flags, or that there is no such log.
func (s *settings) newLogger(stderr io.Writer, background bool) (*zap.Logger, error) {
	level, err := s.logs.Parse()
	if err != nil {
		return nil, usageError{err}
	}
	var cores []zapcore.Core
	if !background {
		cores = append(cores, s.logs.Core("rpcapd", stderr, level))
	}
	if s.syslog || background {
		c, err := systemLog(s.logs.Encoder(false), level)
		if err != nil {
			return nil, fmt.Errorf("log to syslog: %w", err)
		}
		cores = append(cores, c)
	}
	return zap.New(zapcore.NewTee(cores...)), nil
}

package main

import (
	"context"
	"os"
	"os/signal"

	"go.uber.org/zap"

	"rpcapd/cmd/internal/filewatch"
	"rpcapd/cmd/internal/systemd"
)

// control is what whoever runs the agent tells it, and is told: by signals and systemd, on the console, or as the service
// manager of Windows.
type control struct {
	stopped context.Context    // ends when the agent is to end
	stop    context.CancelFunc // ends it
	reload  <-chan struct{}    // the ini is to be read again
	changed <-chan struct{}    // likewise, because it has changed where nobody sends a signal; nil elsewhere
	started func(*zap.Logger)  // the agent runs, and its status says so
}

// signals are the control of a process that no service manager of Windows runs. A second signal to stop ends the process
// at once. One to reload that comes before the agent is ready waits, and does not end it.
func (a *app) signals() *control {
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	context.AfterFunc(ctx, stop)
	ignoreBrokenPipe()
	return &control{stopped: ctx, stop: stop, reload: catchReload(), started: a.tellSystemd}
}

func catchReload() <-chan struct{} {
	asked := make(chan struct{}, 1)
	if len(reloadSignals) > 0 {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, reloadSignals...)
		go func() {
			for range signals {
				ask(asked)
			}
		}()
	}
	return asked
}

// ask leaves word that something is to be done. Once is enough until it is.
func ask(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// onReload calls reload each time that it is asked for, until the agent is to end.
func (c *control) onReload(reload func()) {
	for {
		select {
		case <-c.stopped.Done():
			return
		case <-c.reload:
		case <-c.changed:
		}
		reload()
	}
}

// watch lets changes of an ini that Kubernetes mounts ask for a reload. It returns what ends that.
func (c *control) watch(path string, log *zap.Logger) (end func()) {
	if path == "" || !filewatch.Mounted(path) {
		return func() {}
	}
	log.Info("the ini is in a volume of Kubernetes: the agent reloads it when it changes", zap.String("file", path))
	changed := make(chan struct{}, 1)
	c.changed = changed
	return filewatch.Watch(path, func() {
		log.Info("the ini has changed", zap.String("file", path))
		ask(changed)
	})
}

// tellSystemd tells whoever waits for the agent that it runs.
func (a *app) tellSystemd(log *zap.Logger) {
	a.parent.ready()
	if err := systemd.Notify("READY=1"); err != nil {
		log.Warn("cannot notify systemd that the agent has started", zap.Error(err))
	}
}

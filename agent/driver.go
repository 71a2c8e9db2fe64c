package agent

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// driverAgain is how often a missing capture driver is looked for.
const driverAgain = 5 * time.Second

// watchDriver logs which capture driver there is, and waits for one that is missing: it may be installed while the agent
// runs. Sessions that a sensor holds because nothing can be opened are then dialed anew. look is capture.Driver; it returns
// an empty text where the system itself captures.
func (s *Supervisor) watchDriver(ctx context.Context, look func() (string, error)) {
	if s.opts.ReadFile != "" {
		return
	}
	said := ""
	for {
		driver, err := look()
		switch {
		case s.ifaces.raw.Load(): // until a reload
		case err == nil && driver == "":
			return
		case err == nil:
			s.log.Info("capture driver", zap.String("driver", driver))
			if said != "" {
				for _, x := range s.snapshot() {
					x.driverCame()
				}
			}
			return
		case err.Error() != said:
			said = err.Error()
			s.log.Warn("nothing can be captured", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(driverAgain):
		}
	}
}

// driverCame hangs up on a sensor that has no capture.
func (x *session) driverCame() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.hangUp != nil && x.status.State == StateReady {
		x.hangUp(interfaceChange{"a capture driver has been installed"})
	}
}

package host

import (
	"fmt"

	"rpcapd/doctor"
)

// ClockCure is how a clock is synchronized.
const ClockCure = "timedatectl set-ntp true; chronyc tracking or timedatectl timesync-status shows the state"

func clockResult(drifts bool, err error) doctor.Result {
	switch {
	case err != nil:
		return doctor.NotChecked(fmt.Sprintf("the system does not tell whether its clock is synchronized: %v", err))
	case drifts:
		return doctor.Warning("nothing synchronizes this host's clock", "it drifts, and frames have its time", ClockCure)
	}
	return doctor.OK("the kernel's clock is synchronized")
}

package uplink

import (
	"context"
	"sync"

	"rpcapd/doctor"
	"rpcapd/doctor/host"
)

// Checks are those of the way to each sensor. All that they do ends with ctx.
func Checks(ctx context.Context, o Options) []doctor.Check {
	list := sync.OnceValue(func() []*Visit { return visits(ctx, &o) })
	each := func(f func(*Visit) []doctor.Result) func(context.Context) []doctor.Result {
		return func(context.Context) []doctor.Result { return all(list(), f) }
	}
	return []doctor.Check{
		{Name: "dns", Asks: "whether the names of the sensors have addresses", Limit: resolveLimit + 1, Run: each((*Visit).checkDNS)},
		{Name: "tcp", Asks: "whether each sensor's TCP port answers", Limit: resolveLimit + dialLimit + 1, Run: each((*Visit).checkTCP)},
		{Name: "session", Asks: "whether each sensor authenticates, and whether it is an rpcap-sensor", Limit: totalLimit, Run: each((*Visit).checkSession)},
		{Name: "clock", Asks: "whether the clock is synchronized, and how far it is from each sensor's", Limit: totalLimit, Run: func(context.Context) []doctor.Result {
			return append(all(list(), (*Visit).checkClock), host.Clock())
		}},
		{Name: "data-ports", Asks: "whether datagrams reach each UDP port of the sensors", Limit: totalLimit, Run: each((*Visit).checkDataPorts)},
		{Name: "path-mtu", Asks: "whether datagrams of the agent's size pass", Limit: totalLimit, Run: each((*Visit).checkPathMTU)},
		{Name: "super-packets", Asks: "whether what segmentation offload sends passes (Linux)", Limit: totalLimit, Run: each((*Visit).checkSuperPackets)},
	}
}

// all checks the sensors beside each other.
func all(list []*Visit, f func(*Visit) []doctor.Result) (results []doctor.Result) {
	if len(list) == 0 {
		return []doctor.Result{doctor.NotChecked("no sensor is configured")}
	}
	found := make([][]doctor.Result, len(list))
	var wg sync.WaitGroup
	for i, v := range list {
		wg.Go(func() { found[i] = f(v) })
	}
	wg.Wait()
	for i, v := range list {
		for _, r := range found[i] {
			results = append(results, r.About(v.target.Address()))
		}
	}
	return results
}

func one(r doctor.Result) []doctor.Result { return []doctor.Result{r} }

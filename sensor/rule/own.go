package rule

import (
	"rpcapd/filter"
	"rpcapd/rpcap"
)

// ExcludeOwn puts instructions before p that drop the sensor's own control and data traffic. Both C agents would
// otherwise forward what they forward, without end, when they capture the interface that carries it. With an error the
// program is sent as it is: the project's own agent excludes its traffic anyway.
func ExcludeOwn(p rpcap.Program, linkType uint32, own filter.Endpoint, snaplen uint32) (rpcap.Program, error) {
	whole, err := filter.Prepend(linkType, filter.Exclusion{Endpoints: []filter.Endpoint{own}}, p, snaplen)
	if err != nil {
		return p, err
	}
	return whole, nil
}

package files

import "rpcapd/sensor"

// interfaceKey tells interface blocks apart. A source that comes back with the same ones gets its old block again.
type interfaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

func keyOf(src sensor.Source) interfaceKey {
	return interfaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
}

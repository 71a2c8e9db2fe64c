package files

import (
	"rpcapd/sensor/sink"
)

// interfaceKey tells interface blocks apart. A source that comes back with the same ones gets its old block again.
type interfaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

func keyOf(src sink.Source) interfaceKey {
	return interfaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
}

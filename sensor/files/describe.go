package files

import (
	"strconv"

	"rpcapd/savefile"
	"rpcapd/sensor"
)

// interfaceKey tells interface blocks apart. A source that comes back with the same ones gets its old block again.
type interfaceKey struct {
	name, filter string
	linkType     uint32
	snaplen      uint32
}

func keyOf(src sensor.Source) interfaceKey {
	return interfaceKey{src.Name(), src.Filter, src.LinkType, src.Snaplen}
}

// describe is the interface block of a source. The snap length of every block is the same because readers such as
// tcpdump stop at one that differs; the comment has the real one.
func describe(src sensor.Source) savefile.Interface {
	return savefile.Interface{
		Name: src.Name(), Description: src.Description, Filter: src.Filter,
		Comment:  "agent " + src.Agent.String() + ", rule " + src.Rule + ", snap length " + strconv.FormatUint(uint64(src.Snaplen), 10),
		LinkType: sensor.FileLinkType(src.LinkType),
	}
}

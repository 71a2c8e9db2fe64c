package sink

import (
	"strconv"

	"rpcapd/printable"
	"rpcapd/savefile"
)

// InterfaceBlock is what a capture file says of a source. What an agent has said is made printable, for whoever shows the
// file's names and comments may do so on a terminal. The snap length of every block is the same because readers such as
// tcpdump stop at one that differs; the comment has the real one.
func (s Source) InterfaceBlock() savefile.Interface {
	return savefile.Interface{
		Name: printable.Name(s.Name()), Description: printable.Line(s.Description, printable.MaxText),
		Filter: printable.Text(s.Filter),
		Comment: "agent " + s.Agent.String() + ", rule " + printable.Name(s.Rule) +
			", snap length " + strconv.FormatUint(uint64(s.Snaplen), 10),
		LinkType: savefile.FromDLT(s.LinkType),
	}
}

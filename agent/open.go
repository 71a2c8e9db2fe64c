package agent

import (
	"rpcapd/rpcap"
)

// open answers OPEN: it remembers the interface for STARTCAP if its session may
// capture it and it can be opened. A failed OPEN forgets the earlier name.
func (c *connection) open(payload []byte) error {
	c.opened = ""
	req, _, err := rpcap.ParseOpenRequest(payload)
	if err != nil {
		return c.refuse(rpcap.CodeOpen, "%v", err)
	}
	if req.Name == "" {
		return c.refuse(rpcap.CodeOpen, "no interface named")
	}
	name := req.Name
	found, ok, err := c.session.agent.ifaces.named(name)
	if err != nil {
		return c.refuse(rpcap.CodeOpen, "%v", err)
	}
	if ok {
		name = found.Name
	}
	if p := c.session.preselected; p != "" && name != p {
		return c.refuse(rpcap.CodeOpen, "interface %q is not the preselected one (%s)", req.Name, p)
	}
	linkType, err := c.session.agent.ifaces.linkType(name)
	if err != nil {
		return c.refuse(rpcap.CodeOpen, "%v", err)
	}
	c.opened = name
	c.session.follow(name, found.Index)
	return c.write(rpcap.OpenReply{LinkType: linkType}.Append(c.out[:0]))
}

// setSampling answers SETSAMPLING; it holds from the next STARTCAP on.
func (c *connection) setSampling(payload []byte) error {
	req, _, err := rpcap.ParseSamplingRequest(payload)
	if err != nil {
		return c.refuse(rpcap.CodeSampling, "%v", err)
	}
	if !c.session.agent.policy.Load().IgnoreSampling {
		if req.Method > rpcap.SamplingFirstAfterMillis {
			return c.refuse(rpcap.CodeSampling, "unknown sampling method %d; supported: none (0), one in N (1), first after N ms (2)", req.Method)
		}
		c.sampling = req
	}
	return c.acknowledge(rpcap.TypeSamplingRequest)
}

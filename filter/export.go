package filter

// udpstrMark is how the UDP payload of every udpstr datagram begins: version 0,
// type 110.
const udpstrMark = 0x006e

// Ports at which udpstr is taken for the export of an agent.
const (
	// Of a sensor that is known, all but those of DNS and its like, where two bytes
	// could be anything.
	firstPortOfUDP = 1024

	// Of any other host, those that sensors give out as they come: the control port,
	// and 64 data ports at most.
	firstSensorPort = 2003
	lastSensorPort  = 2066
)

// exportToSensor drops udpstr datagrams that another agent sends to another port of
// a sensor. The destination port is in A, the start of the UDP header in X.
func (p *prefix) exportToSensor() {
	p.compare(opJgeK, firstPortOfUDP, next, p.pass)
	p.do(opLdMem, memProtocol)
	p.compare(opJeqK, protocolUDP, next, p.pass)
	p.hasMark()
	p.marked()
}

// hasMark passes datagrams of less than two bytes. The start of the UDP header is in X.
func (p *prefix) hasMark() {
	p.do(opLdLen, 0)
	p.do(opSubK, portsLength+2) // no wrap: the first step saw more
	p.compare(opJgeX, 0, next, p.pass)
}

// marked drops what begins like udpstr and passes the rest.
func (p *prefix) marked() {
	p.do(opLdHX, portsLength)
	p.compare(opJeqK, udpstrMark, p.drop, p.pass)
}

// sensorPort passes what is to another port than those of sensors; the port is in A.
func (p *prefix) sensorPort() {
	p.compare(opJgeK, firstSensorPort, next, p.pass)
	p.compare(opJgtK, lastSensorPort, p.pass, next)
}

// exports4 is the end of the first step for IPv4: the near end of own connections, and what agents send to sensors that
// this agent does not know. All that other traffic costs is the load of the ports, TCP's or UDP's. No agent's export has IP options.
func (p *prefix) exports4(offset uint32) {
	if p.fragments { // else the first step saw that many bytes
		p.longEnough(offset + ipv4Header + portsLength)
	}
	hit := p.label()
	p.nearPorts(p.near.v4, offset+ipv4Header, hit)
	p.sensorPort()
	p.do(opLdB, offset+ipv4Protocol)
	p.compare(opJeqK, protocolUDP, next, p.pass)
	p.do(opLdB, offset)
	p.compare(opJeqK, 0x40|ipv4Header/4, next, p.pass)
	p.do(opLdH, offset+ipv4Fragment)
	p.compare(opJsetK, 0x1fff, p.pass, next)
	p.markedAt(offset + ipv4Header + portsLength)
	p.nearFound(p.near.v4, offset, hit, p.near4)
}

// exports6 is the same for IPv6. No agent's export has extension headers: it is never
// fragmented.
func (p *prefix) exports6(offset uint32) {
	hit := p.label()
	p.nearPorts(p.near.v6, offset+ipv6Header, hit)
	p.sensorPort()
	p.do(opLdB, offset+ipv6Next)
	p.compare(opJeqK, protocolUDP, next, p.pass)
	p.markedAt(offset + ipv6Header + portsLength)
	p.nearFound(p.near.v6, offset, hit, p.near6)
}

// markedAt drops frames that have the mark at a fixed place and passes the rest.
func (p *prefix) markedAt(offset uint32) {
	p.longEnough(offset + 2)
	p.do(opLdH, offset)
	p.compare(opJeqK, udpstrMark, p.drop, p.pass)
}

// exportElsewhere is the same for frames that have a sensor's address by its last word
// only, or as their source: the headers are where the exact step has found them.
func (p *prefix) exportElsewhere() {
	p.do(opLdMem, memProtocol)
	p.compare(opJeqK, protocolUDP, next, p.pass)
	p.do(opLdxMem, memTransport)
	p.hasMark()
	p.do(opLdHX, 2)
	p.sensorPort()
	p.marked()
}

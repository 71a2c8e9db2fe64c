package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// DefaultPcapOverIP is where the sensor gives frames to clients unless told otherwise.
var DefaultPcapOverIP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 57012)

const (
	maxPcapOverIPClients = 4096
	maxPcapOverIPBuffer  = 1 << 10 // MiB
	maxPcapOverIPStalled = 24 * time.Hour
)

// pcapOverIPLinkTypes are names for LINKTYPE numbers, as tcpdump knows them.
var pcapOverIPLinkTypes = map[string]int{
	"NULL": 0, "EN10MB": 1, "ETHERNET": 1, "RAW": 101, "IEEE802_11": 105, "LOOP": 108, "LINUX_SLL": 113,
	"IEEE802_11_RADIO": 127, "LINUX_SLL2": 276,
}

var pcapOverIPSection = sensorSection{
	section: section{kind: "pcap-over-ip", many: true, keys: append([]string{
		"Listen", "Connect", "Format", "LinkType", "Clients", "AllowClients", "Buffer", "Stalled",
		"TLS", "Certificate", "Key", "ClientCA", "CA", "ServerName",
	}, selectionKeys...)},
	begin: func(p *sensorParser, h header, name string) {
		if p.pcapOverIP(h.section) == nil {
			p.sensor.PcapOverIP = append(p.sensor.PcapOverIP, PcapOverIP{Name: name, Listen: DefaultPcapOverIP, LinkType: -1, line: h.line})
		}
	},
	key:   func(p *sensorParser, s setting) error { return p.pcapOverIP(s.section).set(s) },
	whole: (*sensorParser).checkPcapOverIP,
}

// pcapOverIP finds the output of a section given as "pcap-over-ip NAME".
func (p *sensorParser) pcapOverIP(section string) *PcapOverIP {
	_, name, _ := strings.Cut(section, " ")
	for i := range p.sensor.PcapOverIP {
		if p.sensor.PcapOverIP[i].Name == name {
			return &p.sensor.PcapOverIP[i]
		}
	}
	return nil
}

// set puts one line in force.
func (o *PcapOverIP) set(s setting) (err error) {
	if mine, err := o.Selection.set(s); mine {
		return err
	}
	switch value := unquote(s.value); s.key {
	case "Listen":
		o.listens = true
		o.Listen, err = parsePcapOverIPListen(value)
	case "Connect":
		o.Connect, err = parseConnect(value)
	case "Format":
		var n int
		n, err = choose(value, "pcapng", "pcap")
		o.Classic = n == 1
	case "LinkType":
		o.LinkType, err = parseLinkType(value)
	case "Clients":
		o.Clients, err = parseCount(value, maxPcapOverIPClients)
	case "AllowClients":
		var errs []error
		if o.AllowClients, errs = parseNetworks(value); len(errs) > 0 {
			err = errs[0]
		}
	case "Buffer":
		var n int
		n, err = parseCount(strings.TrimRight(strings.TrimSuffix(strings.ToUpper(value), "M"), " "), maxPcapOverIPBuffer)
		o.Buffer = n << 20
	case "Stalled":
		o.Stalled, err = parseDuration(value)
		if err != nil || o.Stalled < time.Second || o.Stalled > maxPcapOverIPStalled {
			err = badValue(value, "write a time of 1s to 24h, as in 2m")
		}
	case "TLS":
		o.TLS, err = parseSwitch(value)
	case "Certificate":
		o.Certificate = value
	case "Key":
		o.Key = value
	case "ClientCA":
		o.ClientCA = value
	case "CA":
		o.CA = value
	case "ServerName":
		o.ServerName = value
	}
	return err
}

// parsePcapOverIPListen reads "ADDRESS:PORT", "ADDRESS", "PORT" or ":PORT", like that of [http].
func parsePcapOverIPListen(value string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), DefaultPcapOverIP.Port()), nil
	}
	a, err := ParseHTTPListen(value)
	if err != nil {
		return a, badValue(value, "write ADDRESS:PORT, as in 127.0.0.1:57012, or :57012 for every address")
	}
	return a, nil
}

func parseConnect(value string) (string, error) {
	host, portText, err := net.SplitHostPort(value)
	if err == nil {
		_, err = parsePort(portText)
	}
	if err != nil || host == "" {
		return "", badValue(value, "write HOST:PORT, as in analysis.example:57012")
	}
	return value, nil
}

func parseLinkType(value string) (int, error) {
	name := strings.ToUpper(strings.ReplaceAll(value, "-", "_"))
	name = strings.TrimPrefix(strings.TrimPrefix(name, "LINKTYPE_"), "DLT_")
	if n, known := pcapOverIPLinkTypes[name]; known {
		return n, nil
	}
	n, err := parseInt(name)
	if err != nil || n < 0 || n > 65535 {
		return -1, badValue(value, "write a name such as EN10MB, RAW or LINUX_SLL2, or the LINKTYPE number")
	}
	return int(n), nil
}

// checkPcapOverIP looks at what the lines make together.
func (p *sensorParser) checkPcapOverIP() {
	listens := make(map[string]*PcapOverIP)
	for i := range p.sensor.PcapOverIP {
		o := &p.sensor.PcapOverIP[i]
		head := strings.TrimSpace("pcap-over-ip " + o.Name)
		bad := func(keys []string, format string, args ...any) {
			p.errorf(p.lineOf(head, o.line, keys...), "["+head+"] "+format, args...)
		}
		o.TLS = o.TLS || o.Certificate != "" || o.Key != "" || o.ClientCA != "" || o.CA != "" || o.ServerName != ""
		switch {
		case o.Connect != "" && o.listens:
			bad([]string{"Connect"}, "has Listen and Connect; make two sections of it")
		case (o.Certificate == "") != (o.Key == ""):
			bad([]string{"Certificate", "Key"}, "has only one of Certificate and Key; TLS needs both")
		case o.Connect == "" && o.TLS && o.Certificate == "":
			bad([]string{"TLS", "ClientCA", "CA", "ServerName"}, "asks for TLS and has no Certificate and Key")
		case o.Connect == "" && (o.CA != "" || o.ServerName != ""):
			bad([]string{"CA", "ServerName"}, "has CA or ServerName, which are for Connect; ClientCA is for clients")
		case o.Connect != "" && (o.ClientCA != "" || o.Clients != 0 || o.AllowClients != nil):
			bad([]string{"ClientCA", "Clients", "AllowClients"}, "has Connect, and keys for clients that connect (ClientCA, Clients, AllowClients)")
		case !o.Classic && o.LinkType >= 0:
			bad([]string{"LinkType"}, "has a LinkType, which is for Format = pcap")
		case o.Connect == "" && listens[o.ListenText()] != nil:
			bad([]string{"Listen"}, "listens on %s, as the section on line %d does; give it another port", o.ListenText(), listens[o.ListenText()].line)
		case o.Connect == "" && !o.Listen.Addr().IsLoopback() && o.ClientCA == "" && o.AllowClients == nil:
			p.warnf(p.lineOf(head, o.line, "Listen"), "[%s] listens on %s and accepts everybody: anyone who reaches it gets the frames; add AllowClients, or Certificate, Key and ClientCA", head, o.ListenText())
		}
		if o.Connect == "" {
			listens[o.ListenText()] = o
		}
	}
}

// ListenText is the address as net.Listen takes it.
func (o PcapOverIP) ListenText() string {
	if !o.Listen.Addr().IsValid() {
		return ":" + strconv.Itoa(int(o.Listen.Port()))
	}
	return o.Listen.String()
}

// Title names the output in logs and in the status.
func (o PcapOverIP) Title() string {
	if o.Name == "" {
		return "pcap-over-ip"
	}
	return fmt.Sprintf("pcap-over-ip %s", o.Name)
}

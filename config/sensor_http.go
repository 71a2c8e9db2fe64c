package config

import (
	"net/netip"
	"strconv"
	"strings"
)

// DefaultHTTP is where the sensor shows its health unless told otherwise.
var DefaultHTTP = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 9203)

var httpSection = sensorSection{
	section: section{kind: "http", keys: []string{"Listen", "Certificate", "Key", "Account", "Names"}},
	begin: func(p *sensorParser, h header, _ string) {
		p.sensor.HTTP = HTTP{Enabled: true, Listen: DefaultHTTP, line: h.line}
	},
	key: func(p *sensorParser, s setting) (err error) {
		to := &p.sensor.HTTP
		switch value := unquote(s.value); s.key {
		case "Listen":
			to.Listen, err = ParseHTTPListen(value)
		case "Certificate":
			to.Certificate = value
		case "Key":
			to.Key = value
		case "Account":
			var a Account
			if a, err = parseAccount(s.value, "rpcap-sensor passwd"); err != nil {
				p.errorf(s.line, "%v", err) // it names the key itself
				return nil
			}
			to.Accounts = append(to.Accounts, a)
		case "Names":
			to.Names = splitWords(strings.ToLower(value))
		}
		return err
	},
	whole: func(p *sensorParser) {
		h := p.sensor.HTTP
		if (h.Certificate == "") != (h.Key == "") {
			p.errorf(p.lineOf("http", h.line, "Certificate", "Key"), "[http] has only one of Certificate and Key; TLS needs both")
		}
		if !h.Enabled || h.Local() {
			return
		}
		switch {
		case len(h.Accounts) == 0:
			p.warnf(p.lineOf("http", h.line, "Listen"), "[http] listens on %s and asks for no password: anyone who reaches it sees all agents; add an Account (rpcap-sensor passwd NAME makes the line)", h.ListenText())
		case h.Certificate == "":
			p.warnf(p.lineOf("http", h.line, "Listen"), "[http] listens on %s without TLS: passwords travel in clear text; add Certificate and Key", h.ListenText())
		}
	},
}

// Local reports whether only this machine can reach it.
func (h HTTP) Local() bool { return h.Listen.Addr().IsLoopback() }

// ListenText is the address as net.Listen takes it.
func (h HTTP) ListenText() string {
	if !h.Listen.Addr().IsValid() {
		return ":" + strconv.Itoa(int(h.Listen.Port()))
	}
	return h.Listen.String()
}

// ParseHTTPListen reads "ADDRESS:PORT", "ADDRESS", "PORT" or ":PORT"; what is left out is that of DefaultHTTP, but for
// ":PORT", which is every address.
func ParseHTTPListen(value string) (netip.AddrPort, error) {
	bad := badValue(value, "write ADDRESS:PORT, as in 127.0.0.1:9203, or :9203 for every address")
	if a, err := netip.ParseAddr(strings.Trim(value, "[]")); err == nil {
		return netip.AddrPortFrom(a.Unmap(), DefaultHTTP.Port()), nil
	}
	i := strings.LastIndexByte(value, ':')
	host, portText := "", value
	if i >= 0 {
		host, portText = value[:i], value[i+1:]
	}
	port, err := parsePort(portText)
	if err != nil {
		return netip.AddrPort{}, bad
	}
	switch host = strings.Trim(host, "[]"); {
	case i < 0 || strings.EqualFold(host, "localhost"):
		return netip.AddrPortFrom(DefaultHTTP.Addr(), port), nil
	case host == "" || host == "*":
		return netip.AddrPortFrom(netip.Addr{}, port), nil
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, bad
	}
	return netip.AddrPortFrom(a.Unmap(), port), nil
}

package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// parseHost reads a host name, an IPv4 address, or an IPv6 address with or without
// brackets, each perhaps with :PORT behind it; the port is 0 if it is not there.
func parseHost(word string) (host string, port uint16, err error) {
	if strings.Contains(word, "/") {
		return "", 0, fmt.Errorf("host %q: write one address or name, no network and no URL", word)
	}
	name, rest := word, ""
	if strings.HasPrefix(word, "[") {
		end := strings.IndexByte(word, ']')
		if end < 0 {
			return "", 0, fmt.Errorf("host %q: no ] after the IPv6 address", word)
		}
		name, rest = word[1:end], word[end+1:]
		if a, err := netip.ParseAddr(name); err != nil || !a.Is6() {
			return "", 0, fmt.Errorf("host %q: not an IPv6 address within the brackets", word)
		}
		if rest != "" && rest[0] != ':' {
			return "", 0, fmt.Errorf("host %q: only :PORT may follow the brackets", word)
		}
		rest = strings.TrimPrefix(rest, ":")
	} else if strings.Count(word, ":") == 1 {
		name, rest, _ = strings.Cut(word, ":")
		if rest == "" {
			return "", 0, fmt.Errorf("host %q: no port after the colon", word)
		}
	}
	if rest != "" {
		if port, err = parsePort(rest); err != nil {
			return "", 0, fmt.Errorf("port %w", err)
		}
	}
	if host, err = checkHost(name); err != nil {
		return "", 0, err
	}
	return host, port, nil
}

// checkHost returns the host as it is dialed.
func checkHost(name string) (string, error) {
	if a, err := netip.ParseAddr(name); err == nil {
		return checkAddress(name, a.Unmap())
	}
	switch {
	case strings.Contains(name, ":"):
		return "", fmt.Errorf("host %q: not an IPv6 address", name)
	case strings.Trim(name, "0123456789.") == "":
		return "", fmt.Errorf("host %q: not an IPv4 address; it has four numbers of 0 to 255", name)
	}
	if reason := badName(strings.TrimSuffix(name, ".")); reason != "" {
		return "", fmt.Errorf("host %q: %s", name, reason)
	}
	return name, nil
}

func checkAddress(name string, a netip.Addr) (string, error) {
	switch {
	case a.IsUnspecified(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "", fmt.Errorf("host %q: no sensor can have this address; name the one to connect to", name)
	case a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "":
		return "", fmt.Errorf("host %q: a link-local address needs its interface, as in %s%%eth0", name, a)
	}
	return a.String(), nil
}

// badName says what makes a word no host name, by the rules of DNS and with the
// underscores that are found in practice.
func badName(name string) string {
	if len(name) > 253 {
		return "longer than 253 letters"
	}
	for label := range strings.SplitSeq(name, ".") {
		switch {
		case label == "":
			return "not a host name: a part between dots is empty"
		case len(label) > 63:
			return "not a host name: a part between dots is longer than 63 letters"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "not a host name: a part between dots begins or ends with -"
		}
	}
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		case c >= 0x80:
			return "not a host name in ASCII; write its xn-- form"
		default:
			return fmt.Sprintf("not a host name: %q is not allowed in one", c)
		}
	}
	return ""
}

// parsePort reads a number, DEFAULT in any case, or the name of a TCP service.
func parsePort(word string) (uint16, error) {
	if strings.EqualFold(word, "DEFAULT") {
		return DefaultPort, nil
	}
	if n, err := strconv.ParseUint(word, 10, 16); err == nil && n > 0 {
		return uint16(n), nil
	}
	if word != "" && len(word) <= 32 && word[0]|0x20 >= 'a' && word[0]|0x20 <= 'z' {
		if n, err := net.LookupPort("tcp", word); err == nil && n > 0 {
			return uint16(n), nil
		}
		return 0, fmt.Errorf("%q: no such service is known here; write a number of 1 to 65535, or DEFAULT for %d", word, DefaultPort)
	}
	return 0, fmt.Errorf("%q: write a number of 1 to 65535, or DEFAULT for %d", word, DefaultPort)
}

// parseNetwork reads an address or a network and returns it without host bits.
func parseNetwork(word string) (netip.Prefix, error) {
	text, length, found := strings.Cut(word, "/")
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		text = text[1 : len(text)-1]
	}
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return netip.Prefix{}, fmt.Errorf("%q: write an IPv4 or IPv6 address or a network, as in 10.0.0.0/8; names are not resolved", word)
	case a.Zone() != "":
		return netip.Prefix{}, fmt.Errorf("%q: remove the %%%s; a network has no zone", word, a.Zone())
	}
	bits := a.BitLen()
	if found {
		if bits, err = prefixLength(word, length, a); err != nil {
			return netip.Prefix{}, err
		}
	}
	if a.Is4In6() && bits >= 96 {
		a, bits = a.Unmap(), bits-96
	}
	return netip.PrefixFrom(a, bits).Masked(), nil
}

// hostBits warns of a network that is written with the address of one host: 10.0.0.5/8 is as wide as 10.0.0.0/8.
func hostBits(key, word string) []string {
	p, err := netip.ParsePrefix(word)
	if err != nil || p == p.Masked() {
		return nil
	}
	return []string{fmt.Sprintf("%s %s means the whole network %s; write that, or %s for the one address", key, word, p.Masked(), p.Addr())}
}

func prefixLength(word, length string, a netip.Addr) (int, error) {
	if mask, err := netip.ParseAddr(length); err == nil && mask.Is4() && a.Is4() {
		m := mask.As4()
		if ones, size := net.IPMask(m[:]).Size(); size == 32 {
			return 0, fmt.Errorf("%q: write the length of the prefix, /%d", word, ones)
		}
	}
	n, err := strconv.ParseUint(length, 10, 32)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q: the length of the prefix is a number of 0 to %d", word, a.BitLen())
	case n > uint64(a.BitLen()):
		return 0, fmt.Errorf("%q: prefix longer than %d bits", word, a.BitLen())
	}
	return int(n), nil
}

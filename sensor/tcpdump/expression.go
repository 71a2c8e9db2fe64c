package tcpdump

import (
	"fmt"
	"strings"

	"rpcapd/filter"
)

// word is a piece of a filter expression and where it stands: as libpcap's scanner cuts it, but that a number, an address or
// a sign may be in pieces. Only the words below matter here.
type word struct {
	text       string
	start, end int // bytes of the expression
}

// splitExpression cuts an expression in tcpdump syntax into words. A backslash takes the meaning from a keyword, so "\vlan"
// is a word of its own, as "vlan-5" is and "vlan(5)" is not.
func splitExpression(e string) (words []word) {
	for i := 0; i < len(e); {
		n := 1
		switch c := e[i]; {
		case isBlank(c):
			i++
			continue
		case c == '\\':
			for i+n < len(e) && !strings.ContainsRune(" !()\n\t", rune(e[i+n])) {
				n++
			}
		case isAlphanumeric(c):
			for i+n < len(e) && (isAlphanumeric(e[i+n]) || strings.ContainsRune("-_.", rune(e[i+n]))) {
				n++
			}
			for strings.ContainsRune("-_", rune(e[i+n-1])) { // a name does not end with these
				n--
			}
		}
		words = append(words, word{e[i : i+n], i, i + n})
		i += n
	}
	return words
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// besideTag returns the expression for frames whose outer VLAN tag is beside them. The first "vlan" asks for that tag, and
// moves nothing, because the bytes are without it. All that follow stay as they are: each looks for one more tag in the
// bytes. In an encapsulation that gives its own Ethernet header the first "vlan" is one of those. found is false if the
// expression says nothing of the outer tag, and means the same with and without it.
func besideTag(e string) (tagged string, found bool) {
	words := splitExpression(e)
	for i, w := range words {
		switch w.text {
		case "geneve", "vxlan":
			return "", false
		case "vlan":
			test, end := fmt.Sprintf("(ether[%#x]=1)", uint32(filter.TagPresent)), w.end
			if number, last := vlanNumber(e, words[i+1:]); number != "" {
				test, end = fmt.Sprintf("(ether[%#x]&0xfff=%s)", uint32(filter.TagField), number), last
			}
			return e[:w.start] + test + e[end:], true
		}
	}
	return "", false
}

// vlanNumber returns the number that words begin with, with the parentheses around it, and where it ends.
func vlanNumber(e string, words []word) (number string, end int) {
	open := 0
	for open < len(words) && words[open].text == "(" {
		open++
	}
	if len(words) < 2*open+1 || words[open].text[0] < '0' || words[open].text[0] > '9' {
		return "", 0
	}
	for _, w := range words[open+1 : 2*open+1] {
		if w.text != ")" {
			return "", 0
		}
	}
	end = words[2*open].end
	return e[words[0].start:end], end
}

// meaninglessError is why an expression that tcpdump knows has no meaning here, whatever the link type.
type meaninglessError string

func (e meaninglessError) Error() string { return string(e) }

// onlyLive finds what works only where tcpdump itself captures. A filter is compiled here for interfaces elsewhere.
func onlyLive(e string) error {
	words := splitExpression(e)
	for i, w := range words {
		switch {
		case w.text == "inbound" || w.text == "outbound":
			return meaninglessError(w.text + " compiles only for a capture on this machine's own interfaces; " +
				"write addresses instead, as in dst net 10.1.0.0/16 or ether dst 02:00:00:00:00:01")
		case w.text == "broadcast" && i > 0 && words[i-1].text == "ip":
			return meaninglessError("ip broadcast needs the network mask of the interface, which is not known here; " +
				"write ether broadcast, or addresses, as in dst host 10.1.255.255 or dst host 255.255.255.255")
		case w.text == "protochain":
			return meaninglessError("protochain needs a loop, and a filter in the kernel has none; " +
				"name the protocol instead, as in ip proto 17 or ip6 proto 17")
		}
	}
	return nil
}

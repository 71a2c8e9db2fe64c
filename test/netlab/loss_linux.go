package netlab

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// ErrNoNFT is returned where the nft program is not installed.
var ErrNoNFT = errors.New("nft is not installed (package nftables; make deps installs it as root)")

// NFT loads a ruleset with the nft program.
func (n *Namespace) NFT(rules string) error {
	nft, err := exec.LookPath("nft")
	if err != nil {
		return ErrNoNFT
	}
	cmd := n.Command(nft, "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: load nftables rules: %w: %s", n.Name, err, out)
	}
	return nil
}

// DropUDP makes the host lose one of every n UDP datagrams that arrive for a port,
// the first one first. With n = 1 it loses them all; a further call replaces the
// rule, with n = 0 nothing is lost any more. A GSO super-packet counts as one
// datagram.
func (n *Namespace) DropUDP(port uint16, every int) error {
	rules := "table inet netlab\ndelete table inet netlab\n"
	if every > 0 {
		rules += fmt.Sprintf(`table inet netlab {
	chain lose {
		type filter hook prerouting priority -300;
		udp dport %d numgen inc mod %d 0 counter drop
	}
}
`, port, every)
	}
	return n.NFT(rules)
}

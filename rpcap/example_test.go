package rpcap_test

import (
	"encoding/hex"
	"fmt"

	"rpcapd/rpcap"
)

// A data connection in the plain format carries one PACKET message for each frame.
func ExampleParsePacket() {
	message, _ := hex.DecodeString("00070000" + "00000018" + // type 7, 24 bytes of payload
		"65b00000" + "0000000a" + "00000004" + "0000003c" + "00000001" + // time, caplen 4, 60 bytes on the wire, number 1
		"45000028")
	header, frame, used, err := rpcap.ParsePacket(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("frame %d: %x, %d of %d bytes, %d used\n", header.Number, frame, header.Caplen, header.Len, used)
	// Output: frame 1: 45000028, 4 of 60 bytes, 32 used
}

package receive

import "rpcapd/test/frames"

// What an agent sends.
var (
	testFrames   = frames.Make
	packed       = frames.Packed
	plainMessage = frames.Plain
)

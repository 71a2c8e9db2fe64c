package capture

import "errors"

// OpenFile replays a pcap or pcapng file.
func OpenFile(path string, o Options) (Source, error) { return nil, errors.ErrUnsupported }

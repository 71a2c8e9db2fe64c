package agent

import "os"

// networkNamespace names the network namespace of this process; empty if /proc does not tell.
func networkNamespace() string {
	name, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return ""
	}
	return name
}

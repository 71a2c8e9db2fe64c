//go:build !windows

package capture

// Driver tells which capture driver Open uses, empty where the system itself captures.
func Driver() (string, error) { return "", nil }

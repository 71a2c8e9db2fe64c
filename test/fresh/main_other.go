//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "fresh: only Linux has mount namespaces")
	os.Exit(1)
}

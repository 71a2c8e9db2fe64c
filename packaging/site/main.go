package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "bin/site", "`folder` of the site; what is in it is replaced")
	version := flag.String("version", "", "`text` at the foot of each page")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "site: argument %q is not understood\n", flag.Arg(0))
		os.Exit(2)
	}
	n, err := build(".", *out, *version)
	if err != nil {
		fmt.Fprintln(os.Stderr, "site:", err)
		os.Exit(1)
	}
	fmt.Printf("site: %d pages in %s; open %s/index.html\n", n, *out, *out)
}

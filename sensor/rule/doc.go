// Package rule holds the rules of a sensor: which agents and interfaces to capture, and how.
//
// Input: the rules of the configuration and the interface list of an agent. Output: a Choice, or the reason why there is none. A Set is one
// generation of rules. A reload makes another Set, and pointers into the old one stay valid. CheckFilters compiles
// the filters of all rules, to find a bad one before anything changes. ExcludeOwn adds instructions to the start of a
// program that exclude the export from the capture.
//
// The package starts no goroutine and has no lock. Choose, Check and Usable read no clock; only CheckFilters runs another
// program (tcpdump), through its Compiler.
package rule

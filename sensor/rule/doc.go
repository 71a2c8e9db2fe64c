// Package rule says which agents and interfaces a sensor wants, and what it asks of them.
//
// In flow the rules of the configuration and an agent's interface list; out flows a Choice, or why there is none. A Set is one
// generation of rules: a reload makes another one, and whoever points into the old one goes on with that. CheckFilters compiles
// the filters of all rules, so that a bad one is found before anything changes, and ExcludeOwn puts the instructions before a
// program that keep the export out of what is captured.
//
// The package starts no goroutine and has no lock. Choose, Check and Usable read no clock; only CheckFilters runs another
// program (tcpdump), through its Compiler.
package rule

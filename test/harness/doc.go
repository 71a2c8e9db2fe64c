// Package harness builds, starts, reads and stops programs for tests: rpcapd and rpcap-sensor as their users run them, and
// the tools they are compared with.
//
//	Program   path of one of the two, built once for each test binary
//	Tool      path of a program of the host; without it the test is skipped
//	Start     a program that ends with the test: on this host, or in a namespace of netlab
//	Running   waits for what it says, signals and stops it
//
// A test binary with the race detector builds both programs with it too, which needs cgo and a C compiler. The first race ends the
// program, and fails the test with the report.
package harness

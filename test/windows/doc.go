// Package windows tests the programs for Windows under wine 10, on Linux.
//
//	client --veth-- host: wine rpcapd.exe --veth-- sensor: rpcap-sensor        (or the other way round)
//
//	units     the tests of all packages of the module, compiled for Windows
//	agent     rpcapd.exe captures through wine's wpcap.dll and forwards to a Linux sensor
//	sensor    rpcap-sensor.exe takes a Linux agent, and serves files, PCAP-over-IP and its page
//	msi       installed with properties, upgraded, repaired, removed; taken over from the C agent; signed
//
// A machine is a network namespace and a copy-on-write of one Debian system that has wine, with a prefix of its own in it. The
// system is made on demand (package debian). A machine starts when the first program runs, as a computer that is switched on,
// and stops some seconds after its last one has ended.
//
// These tests run with TEST_WINDOWS=1, which make test-windows sets. Then a system that cannot be made is a failure.
package windows

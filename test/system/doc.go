// Package system tests the two programs as they are delivered: built once, run as
// processes in network namespaces, fed with real traffic, looked at only from
// outside (frames, files, sockets, signals, /proc). It has no code but tests.
//
//	client                    host                      sensor
//	+----------+   veth   +-------------+   veth   +--------------+
//	|     eth0 |----------| eth0   eth1 |----------| eth0         |
//	| traffic  | captured |   rpcapd    |  export  | rpcap-sensor |
//	+----------+          +-------------+          +--------------+
//	 10.1.0.1              10.1.0.2  10.2.0.2       10.2.0.3
//	 fd01::1               fd01::2   fd02::2        fd02::3
//
// With SYSTEM_LOAD=full in the environment (make test-full) the load tests run with full
// counts, and tshark reads each file that is compared, not the first only.
package system

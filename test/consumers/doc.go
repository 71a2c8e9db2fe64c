// Package consumers tests the sensor's TAP interface with the programs that read it.
//
//	client --veth-- host: rpcapd --veth-- sensor: rpcap-sensor -> rpcap0 -> tcpdump, Suricata 7
//
//	short (make test)                 traffic that tcpreplay sends from recordings, seen by tcpdump on the TAP interface
//	TEST_CONSUMERS=1 (test-consumers) Suricata of Debian 13 in a chroot, alerting on what it saw there
//
// The chroot is made on demand by debootstrap and kept in ${XDG_CACHE_HOME:-~/.cache}/rpcapd-test, outside the repository.
// With TEST_CONSUMERS=1 a missing program or a chroot that cannot be made is a failure.
package consumers

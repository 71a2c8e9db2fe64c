// Package packages tests the packages as they are built: what is in them, and what happens
// when they are installed, upgraded and removed on real systems.
//
//	short (make test)           contents, modes, reproducibility, units, shipped configuration, pages
//	TEST_PACKAGES=1, root       chroots of Debian 12 and 13, rpm in one of them,
//	(make test-packages)        systemd booted by systemd-nspawn, two machines joined by a veth
//
// The base systems are made on demand with debootstrap and kept in
// ${XDG_CACHE_HOME:-~/.cache}/rpcapd-test, outside the repository; each test writes into an
// overlay of its own that goes away with it. The network of the host is not touched.
//
// A system that cannot be made (no network, no tool) is a failure with TEST_PACKAGES=1: a
// run that skips is not a test.
package packages

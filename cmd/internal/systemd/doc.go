// Package systemd tells systemd how a service is: sd_notify(3) and sd_watchdog_enabled(3) without libsystemd.
//
// A state is one datagram, such as READY=1, to the socket that NOTIFY_SOCKET names. Nobody answers. A process that
// systemd has not started, or a system without systemd, sends nothing.
package systemd

// Package udpsock sends and receives UDP datagrams in batches, with as few system calls and as little work in the kernel
// per datagram as the platform allows.
//
// A [Sender] is a connected socket with one owner. It takes runs, datagrams of one size laid end to end:
//
//	run    |<-- size -->|<-- size -->|<-- size -->|<- rest ->|     size is the same for all but a shorter last one
//	       | datagram 0 | datagram 1 | datagram 2 |    3     |
//
//	with segmentation offload (Linux 4.18, UDP_SEGMENT):  one sendmsg; the kernel carries the run as one packet, a
//	                                                      "super-packet", and cuts it as late as it can, at best in the NIC
//	without:                                              one sendmmsg, a message per datagram
//	Windows 10 (2004) and later, UDP_SEND_MSG_SIZE:       one WSASendMsg; the system cuts the run
//	elsewhere:                                            one write per datagram
//
// The sender sends what the kernel refuses again in another way, so each datagram is either sent or counted as dropped, by
// its errno ([Sender.Drops]). The origin of an errno is unknown: without IP_RECVERR, errors of a router, of the routing
// table, and of the local firewall look the same.
//
//	errno                      what Send does
//	EIO                        the device or IPsec cannot segment: offload off for this socket, resend
//	EINVAL                     resend this run without offload; offload off after three such runs in a row
//	EMSGSIZE                   read the path MTU again. Datagrams that no longer fit: back to the caller with [TooLongError],
//	                           who packs them anew. Else resend, then with half as many datagrams a super-packet
//	EAGAIN, ENOBUFS, ENOMEM    wait for room as long as the caller allows, at most 2 ms, then drop what is left of the run
//	ECONNREFUSED and others    a pending ICMP error has failed the send: count it, resend; drop the run if it continues
//	that ICMP can cause
//	EPERM, EACCES              this host refuses it (firewall, policy). A super-packet: its first datagram alone, then the
//	                           rest one by one; offload off after three such runs in a row. Refused alone: drop the run,
//	                           and try one datagram a second until one passes
//	sendmmsg sent a part       resume there
//
// A [Receiver] is a bound socket that takes many messages with one recvmmsg. With UDP_GRO (Linux 5.0) a message holds many
// datagrams of one sender, which Datagram hands out one by one. Each message has a buffer of its own:
//
//	slot 0                slot 1                …  slot 15         64 KiB each, and 1,088 bytes so that slots do not share
//	| d0 | d1 | … | d43 | | d0 | … | d43 |      …                  cache sets; about 1 MiB of address space for a receiver
//
// The kernel fills the slots in order, so slots that were never needed use no resident memory: an idle socket uses one or
// two pages, one with single datagrams of 1,500 bytes 16 pages.
//
// On Windows the sockets are the package's own, because package net of Go makes none where SIO_UDP_NETRESET is missing (wine
// 10). ICMP errors fail no receive (SIO_UDP_CONNRESET). A run that the system does not cut ends offload for the socket and leaves as
// single datagrams. UDP_SEND_MSG_SIZE was compiled only: wine does not have it.
//
// The package does not pack or interpret payloads, starts no goroutine, logs nothing, and repeats nothing that the kernel
// has accepted. It listens only when you call [Listen].
package udpsock

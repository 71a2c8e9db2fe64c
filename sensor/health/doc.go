// Package health shows the state of a sensor: how much each agent forwards, how much of it arrives, and what is wrong.
//
//	sensor ── Peers, Ports, Sinks, Counters ──► tracker ──┬─► /                 the page, for people
//	          (every 5 s, and when asked,                 ├─► /metrics          Prometheus
//	          at most once a second)                      ├─► /api/v1/…         JSON: status, peers, ports, sinks,
//	                                                      │                     problems, history
//	                                                      └─► /healthz /readyz  for supervisors
//
// The tracker adds up the sensor's counters of sessions by peer ("host/interface"), so a counter continues over reconnects
// and never decreases. It keeps one hour of rates for each peer, for the charts, and ten minutes of
// counters, from which it derives the problems that the page shows.
//
// Limits. The page shows a peer for an hour after it has left, and at most 1,024 such peers. The package keeps rates for at most 1,024 peers
// (about 15 MB); the rates of others are only in the totals. It accepts at most 256 connections; when all are in use,
// it closes an idle one for a new one. It cuts names from agents at 128 characters, and replaces
// characters that cannot be printed.
//
// The package answers GET and HEAD and changes nothing. It refuses requests for foreign host names when it listens on
// loopback only, so that no other web page can read it through a browser on this machine. It serves TLS and asks for a
// password if configured. It stores neither passwords nor history on disk.
package health

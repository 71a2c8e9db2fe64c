// Package tlsfiles makes TLS configurations of PEM files that may be renewed while they are in use.
//
//	Files ── Open ──► Config ── Server() ──► for a listener: the files as they are at each handshake
//	                         └─ Client() ──► for one connection: the files as they are now
//
// A handshake looks for renewed files at most once a second. Files that cannot be used, such as a certificate whose new
// key is not there yet, leave the old ones in use. Config reports both to its owner, once for each change. It has no
// goroutine and writes no log.
package tlsfiles

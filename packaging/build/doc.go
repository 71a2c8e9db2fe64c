// Command build makes the packages of both programs: deb, rpm, apk and tar.gz, for each
// architecture of Linux, archives of the agent for FreeBSD, OpenBSD and macOS (bsd), and msi and zip for Windows, without root and on
// any machine that has Go and git.
//
//	cmd/rpcapd ──go run -tags docs──► manual pages, completion ─┐
//	cmd/rpcapd ──go build───────────► static binary ────────────┤
//	packaging/{ini,systemd,man,doc} ────────────────────────────┴─► tree of files ─► nfpm, tar ─► dist/
//
// What it makes depends on the commit, the version of Go and the arguments only: all
// times are that of the commit (or SOURCE_DATE_EPOCH), owners are names, order is
// sorted. Two builds give the same bytes.
//
// With -formats image it makes container images instead, with package oci: a layout of all architectures and a tar of each.
//
// It signs nothing and uploads nothing; SHA256SUMS lists what it made.
package main

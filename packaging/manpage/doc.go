// Package manpage makes manual pages and shell completion of a program from its own
// command line, so that they cannot say what the program does not do.
//
//	cobra.Command tree ─► Write ─► man8/rpcapd.8  man8/rpcapd-check.8 …
//	                               completion/rpcapd.{bash,zsh,fish}
//	NAME.8.inc ───────────────────► sections that no command line knows: files, signals
//
// The pages are man(7), which man-db, mandoc and busybox show. The text of a command
// is taken as it is: paragraphs are filled, indented lines are shown as they stand.
//
// The programs link this package only when they are built with the tag "docs"; a
// shipped binary does not have it.
package manpage

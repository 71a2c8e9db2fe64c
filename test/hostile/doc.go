// Package hostile tests the two programs as processes against peers that mean no
// good, and against files that are no configuration. What is looked at is what an
// operator would see: exit codes, lines in the log, the status, and in /proc the
// memory, descriptors and threads, which must be the same after a thousand times. It
// has no code but tests.
package hostile

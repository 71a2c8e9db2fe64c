// Package cmdline has what the command lines of both programs need besides cobra.
package cmdline

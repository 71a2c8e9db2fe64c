// Package host has the checks of a machine that agent and sensor have in common, and the facts for the archive of doctor.
package host

// Command fresh runs a command as on a machine on which nothing of ours was ever installed.
//
//	fresh [-user] COMMAND [ARGUMENT...]
//
// The command runs in a mount namespace of its own. There the files of packages and of running services do not exist, no
// user or group of ours does, and systemd seems not to run; the environment has nothing that a service manager or our
// programs would read. Root makes that namespace as it is, an ordinary user within a user namespace, whose capabilities
// the command does not get. The machine is left as it was.
//
// Where namespaces cannot be made the command runs with everything in sight, and that is said; with REQUIRE_ROOT=1 in the
// environment it does not run.
//
// With -user, root has the command run as an ordinary user who exists inside only, in a copy of the working directory. Go's
// caches are there as they are, and what is written to them is thrown away.
//
// The exit status is that of the command. At the end the time that it took is printed.
package main

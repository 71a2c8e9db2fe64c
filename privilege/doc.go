// Package privilege turns a process that was started as root into an ordinary one
// that can still capture: another user, only CAP_NET_RAW, and no way back.
//
// What Drop does on Linux, in this order (capabilities(7), "Effect of user ID
// changes on capabilities"):
//
//	no effect of uid 0 on exec       PR_SET_SECUREBITS
//	bounding set reduced             PR_CAPBSET_DROP
//	capabilities survive setuid      PR_SET_KEEPCAPS
//	groups, gid, uid of the user     setgroups, setgid, setuid
//	permitted, effective: NET_RAW    capset
//	no privileges by exec            PR_SET_NO_NEW_PRIVS
//
// Every step holds for all threads of the process. Where the process lacks the
// right to a step (a container with few capabilities, a user namespace that maps
// one user), the step is left out and named in the result: what remains is never
// more than it was.
//
// On macOS and the BSDs the right to capture is that to read /dev/bpf. There Drop changes groups, gid and uid to those of a
// user who has it.
package privilege

// Result says what Drop achieved.
type Result struct {
	User    string   // whose rights are left; empty when the user was not changed
	UID     int      // effective user after the call
	NetRaw  bool     // the process may capture: CAP_NET_RAW is effective, the capture device can be read
	Skipped []string // steps that could not be taken, with the reason
}

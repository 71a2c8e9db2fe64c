// Package doctor runs checks of a host and says in words what is wrong, what it means, and how to cure it.
//
//	checks ─► Run, all at once, each with a time limit ─► results, in the order of the checks ─► text, JSON, archive
//
// A Check is a value: a stable name, what it looks at, and a function. One check can have several results, for instance one for
// each sensor. What the programs have in common is in package host, what only an agent has in package uplink. The programs add
// checks of what only they know.
//
// No check changes anything on the host, starts a capture, or touches a running agent or sensor. A check that needs more rights,
// or another system, says so in its result. Run returns when the last check has, or its time is over.
package doctor

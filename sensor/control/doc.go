// Package control is the side of the control connections: it accepts agents, gives each the rules of its port and address, and
// has a session with it. It touches no frame.
//
//	TCP accept per rule port ─► session: AUTH ─► FINDALLIF ─► rule and interface ─► OPEN ─► STARTCAP ─► STATS every 5 s
//	                        └► held in silence, if no rule is for it or there are too many
//
// In flow connections, rules (New, Server.Reload) and what the data side says of a capture (Capture.Contested, Capture.Ended).
// Out flow requests to agents, what the data side must know of a capture (Config.Begin, the methods of Capture), and what goes
// on (Server.Peers, Server.Counters). The package does not import package receive, whose Capture has the methods of the interface.
//
//	listener   one per distinct rule port; an agent's rules are those of that port whose AllowAgents has its address
//	session    what happens on one connection; it has at most one capture at a time
//	connection its messages: requests go out one at a time, replies that are late or stray are told apart
//
// Goroutines. Each listener has one. Each session has one that decides and one that reads messages, and while a filter is compiled
// or older sessions of the address are waited for, one more. Server.Serve waits for all of them.
//
// Locks, in their order:
//
//	Server.telling ─► those of package receive, by Capture.Fill
//	Server.telling ─► status.History.mu ─► a sink's own
//
// Server.mu takes nameTable.mu only, and is held together with Server.telling and with what serialises Server.Reload.
// session.mu, nameTable.mu, messageBudget.mu and status.SessionLog.mu are leaves; heldConns.mu takes that of its oncelog.Log.
//
// Limits. Connections in all and per address, held connections, the length of a message, the memory of half-read messages, and
// messages that answer nothing are bounded.
//
// One error is logged once: a reason that keeps an agent from being captured when it changes, the end of a session that
// never captured when it is the first of its kind. Status and summary always have the last reason.
//
// What it refuses to do: it never sends CLOSE (both C agents would leave for good), never UPDATEFILTER without a
// capture, never a second STARTCAP before ENDCAP; it never closes at once a connection whose agent would only redial
// at once, but holds it.
package control

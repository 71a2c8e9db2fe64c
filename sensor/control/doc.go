// Package control manages the control connections: it accepts agents, finds the rules for their port and address, and
// runs a session with each agent. It handles no frame.
//
//	TCP accept per rule port ─► session: AUTH ─► FINDALLIF ─► rule and interface ─► OPEN ─► STARTCAP ─► STATS every 5 s
//	                        └► held in silence, if no rule is for it or there are too many
//
// Input: connections, rules (New, Server.Reload), and events of a capture from the data side (Capture.Contested, Capture.Ended).
// Output: requests to agents, information about a capture for the data side (Config.Begin, the methods of Capture), and the
// status (Server.Peers, Server.Counters). The package does not import package receive, whose Capture implements the interface.
//
//	listener   one per distinct rule port; an agent's rules are those of that port whose AllowAgents has its address
//	session    the states of one connection, with at most one capture at a time
//	connection its messages: sends one request at a time, and detects late and stray replies
//
// Goroutines. Each listener has one. Each session has one that decides and one that reads messages, and a third one while it compiles
// a filter or waits for older sessions of the address. Server.Serve waits for all of them.
//
// Locks, in their order:
//
//	Server.telling ─► those of package receive, by Capture.Fill
//	Server.telling ─► status.History.mu ─► a sink's own
//
// Server.mu takes nameTable.mu only, and is held together with Server.telling and with the lock that serializes Server.Reload.
// session.mu, nameTable.mu, messageBudget.mu and status.SessionLog.mu are leaves; heldConns.mu takes that of its oncelog.Log.
//
// Limits. The package limits connections in total and per address, held connections, the length of a message, the memory of
// half-read messages, and unexpected messages.
//
// The package logs an error once. It logs the reason why it does not capture from an agent when the reason changes, and the end of a
// session without a capture when it is the first of its kind. Status and summary always show the last reason.
//
// What it refuses to do: it never sends CLOSE (after it, neither C agent connects again), UPDATEFILTER without a
// capture, or a second STARTCAP before ENDCAP. It does not close a connection immediately if the agent would redial
// immediately. It holds the connection.
package control

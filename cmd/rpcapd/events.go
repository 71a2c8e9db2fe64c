package main

import "rpcapd/cmd/internal/eventlog"

// What the service says of itself, beside what the agent says.
const (
	eventNotStarted = "agent not started"
	eventCrashed    = "the agent before this one ended by a fault of the program"
	eventStuck      = "a forwarder makes no progress, the service ends and Windows starts it again"
	eventSleeps     = "the machine goes to sleep"
	eventWakes      = "the machine has woken up"
)

// events are the entries that have a number of their own in the event log of Windows. Numbers keep their meaning for ever:
// people's alerts rest on them. Informational entries that are not here are not written there.
var events = []eventlog.Event{
	{ID: 100, Message: "agent started"},
	{ID: 101, Message: "agent stopped"},
	{ID: 102, Message: eventNotStarted},
	{ID: 103, Message: eventCrashed},
	{ID: 104, Message: eventSleeps},
	{ID: 105, Message: eventWakes},
	{ID: 106, Message: eventStuck},
	{ID: 110, Message: "configuration reloaded"},
	{ID: 111, Message: "configuration not reloaded, the old one stays"},
	{ID: 112, Message: "configuration has errors, the old one stays"},
	{ID: 113, Message: "configuration would leave no session, the old one stays"},
	{ID: 114, Message: "line disabled"},
	{ID: 120, Message: "status files not written"},
	{ID: 121, Message: "status files written again"},
	{ID: 200, Message: "connected"},
	{ID: 201, Message: "session ended"},
	{ID: 202, Message: "session failed, dialing again"},
	{ID: 203, Message: "dialing again"},
	{ID: 204, Message: "closed by the sensor, not dialing again until a reload"},
	{ID: 205, Message: "waiting for the interface of this line to appear"},
	{ID: 206, Message: "the sensor reports an error"},
	{ID: 207, Message: "request refused"},
	{ID: 300, Message: "capture ended by an error"},
	{ID: 301, Message: "shedding load"},
	{ID: 302, Message: "load shedding ended"},
	{ID: 303, Message: "datagrams dropped, the capture continues"},
	{ID: 304, Message: "send errors, the capture continues"},
	{ID: 305, Message: "segmentation offload failed on this path"},
	{ID: 306, Message: "path MTU has decreased"},
	{ID: 307, Message: "path MTU has increased"},
}

// Package eventlog writes log entries to the event log of Windows, where Event Viewer, wevtutil and collectors find them by
// source and event number.
//
//	log      Application
//	source   the name of the program
//	level    Error, Warning or Information
//	event    a number for each kind of event (Event), from 1 to 1000; see also General
//	text     the message, then its fields
//
// What is written are errors, warnings, and those informational entries that have a number: starts, ends and changes of
// state. Others are for the console.
//
// The texts are shown by the message file EventCreate.exe of Windows, which has the message "%1" for the numbers 1 to 1000.
// A message table in the program itself would be looked up at the path of the program: the event log service then keeps the
// program open, so that an upgrade needs a restart of the machine; events lose their text when the program is moved, and a
// program from a plain go build would have none. The number and the whole text are in the event either way.
package eventlog

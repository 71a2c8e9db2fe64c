// Package journal writes log entries to the journal of systemd, with their priority and
// their fields, for a service whose standard error is connected to it.
//
// An entry is one datagram to /run/systemd/journal/socket (systemd.io/JOURNAL_NATIVE_PROTOCOL):
//
//	MESSAGE=agent.session  connected  {"sensor": "192.0.2.1:2003"}\n
//	PRIORITY=6\n
//	SYSLOG_IDENTIFIER=rpcapd\n
//	RPCAPD_LOGGER=agent.session\n
//	RPCAPD_SENSOR=192.0.2.1:2003\n
//	RPCAPD_NOTE\n  ‹length, 64 bits little-endian› ‹bytes› \n      where a value has a line end
//
// so that journalctl -p warning and journalctl RPCAPD_SENSOR=192.0.2.1:2003 find it. The
// message has the fields, too, because journalctl shows nothing else.
//
// It is used only where standard error is the journal (JOURNAL_STREAM, systemd.exec(5)):
// what is redirected elsewhere stays there. An entry that the journal does not take goes to
// standard error instead.
package journal

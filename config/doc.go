// Package config reads the ini files of the agent and of the sensor, checks them,
// and turns command-line options into the same structures.
//
// # The agent's file
//
//	# comment                              first visible character # or ;
//	ActiveClient   = HOST[, PORT][, OPTION=VALUE]...     one session; any number of lines
//	IgnoreInterfaces = NAME...             that no line means: names and patterns
//	MaxSessions    = N                     of the agent
//	Name           = TEXT                  what sensors show; %h, %n and %p stand for host, node and pod
//	NullAuthPermit = YES | NO              whether a sensor needs no password
//	Account        = NAME, BCRYPT-HASH     a password that a sensor may use (rpcapd passwd)
//	OnClose        = reconnect | stop      what follows a CLOSE of the sensor
//	Sampling       = obey | ignore         requests to sample
//	Promiscuous    = allow | never
//	MaxSnaplen     = BYTES                 most bytes of a frame that leave the host
//	MaxRate        = BITS                  export in bits per second, as in 100M
//	MaxCPU         = PERCENT               of one processor; 200 is two of them
//	DataPorts      = LOW-HIGH              ports of a sensor that frames may be sent to
//	User           = NAME                  user to become after the start
//	Driver         = pcap | raw            how Windows captures
//	Lenient        = YES | NO              unknown lines are warnings
//	PassiveClient  = ...                   no effect: the agent never listens
//
// HOST is a name, an IPv4 address or an IPv6 address with or without brackets.
// PORT is a number, DEFAULT or a service name; 2003 if left out. The options are
//
//	ifname=NAME        preselect the interface of this name
//	ifaddr=ADDR[/LEN]  preselect the first interface with an address in the network
//	                   with patterns, or several names or networks with / between: a session for each interface
//	fanout=N           N sessions that share the interface's traffic
//
// Words are separated by any run of spaces, tabs, commas and semicolons; spaces
// around the = of an option do not matter. A # after a blank begins a comment. Names of
// keys and options are matched whole and in any case.
//
// # The sensor's file
//
//	Listen = ADDRESS, Alias = ADDRESS, NAME
//	[rule NAME]  Port, Address, Interface, Filter, Snaplen, Promiscuous, Sampling,
//	             Transport, AllowAgents, User, Password
//	[data]       FirstPort, Ports, GRO
//	[output]     File, MaxFrame
//
// # How a file is read
//
//	bytes -> text (BOM, UTF-16, line ends; binary and oversized files are refused)
//	      -> line index: which line holds which key of which section
//	      -> gopkg.in/ini.v1, which sees only the lines the index recognized
//	      -> settings with line numbers -> values
//
// The library stops at the first line it cannot read and knows no line numbers;
// the index makes up for both, so that every problem of a file is reported at once
// and by file, line, value and cure.
//
// # What it refuses to do
//
// It never guesses the meaning of a bad value: a bad value is an error. An unknown key, section, or
// option is an error too, because ignoring it could widen what is forwarded or who has access.
// Lenient = YES in the agent's file turns these into warnings. It opens nothing but the file it
// is given, resolves no host name, and prints no password and no hash.
package config

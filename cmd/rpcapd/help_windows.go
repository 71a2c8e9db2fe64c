package main

// runningHelp ends the help of the agent.
const runningHelp = `rpcapd reload reloads it in the service; sessions
whose line did not change continue. rpcapd service --help says how to install the service. Capturing needs the
driver Npcap.`

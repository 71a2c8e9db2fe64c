package config

import "slices"

// AgentKeys are the keys that the agent's file may have, in the order of the
// documentation. Those without effect are not among them.
func AgentKeys() []string { return slices.Clone(agentGrammar.top) }

// SensorKeys are the keys that each section of the sensor's file may have, by the kind
// of the section; those before the first section stand under "".
func SensorKeys() map[string][]string {
	list := map[string][]string{"": slices.Clone(sensorGrammar.top)}
	for _, s := range sensorGrammar.sections {
		if len(s.keys) > 0 {
			list[s.kind] = slices.Clone(s.keys)
		}
	}
	return list
}

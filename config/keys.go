package config

import "slices"

// AgentKeys are the keys that the agent's file may have, in the order of the
// documentation. Those without effect are not among them.
func AgentKeys() []string { return slices.Clone(agentGrammar.top) }

// SensorKeys are the keys that the sensor's file may have, those of all sections that are
// served, each once.
func SensorKeys() []string {
	list := slices.Clone(sensorGrammar.top)
	for _, s := range sensorGrammar.sections {
		for _, key := range s.keys {
			if !slices.Contains(list, key) {
				list = append(list, key)
			}
		}
	}
	return list
}

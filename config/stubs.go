package config

// ParseAgent reads the agent's file. The result is of use only if the problems
// hold no error.
func ParseAgent(file string, data []byte) (Agent, Problems) { return Agent{}, nil }

// ParseSensor reads the sensor's file.
func ParseSensor(file string, data []byte) (Sensor, Problems) { return Sensor{}, nil }

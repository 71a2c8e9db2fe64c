package iface

// List returns the interfaces of the calling thread's network namespace, best to
// capture on first. Errors are those of the system's interface tables.
func List() ([]Interface, error) {
	list, err := read()
	if err != nil {
		return nil, err
	}
	order(list)
	return list, nil
}

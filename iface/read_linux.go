package iface

import "errors"

func read() ([]Interface, error) { return nil, errors.ErrUnsupported }

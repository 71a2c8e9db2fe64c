//go:build !unix && !windows

package main

import (
	"errors"
	"fmt"
	"runtime"

	"go.uber.org/zap/zapcore"
)

func systemLog(zapcore.Encoder, zapcore.Level) (zapcore.Core, error) {
	return nil, fmt.Errorf("%s has none: %w", runtime.GOOS, errors.ErrUnsupported)
}

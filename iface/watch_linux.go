package iface

import (
	"context"
)

func watch(ctx context.Context, changed func()) error { _ = coalesce; <-ctx.Done(); return nil }

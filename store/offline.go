package store

import "context"

type offlineKey struct{}

// offline is a context that asks for what is here, and never ends.
var offline = Offline(context.Background())

// Offline returns a context that asks for what is here: a store that keeps its
// data elsewhere, and cannot reach it, then begins a read-only transaction on what
// it has, if it has anything.
func Offline(ctx context.Context) context.Context {
	return context.WithValue(ctx, offlineKey{}, true)
}

// IsOffline says whether ctx asks for what is here.
func IsOffline(ctx context.Context) bool { return ctx.Value(offlineKey{}) != nil }

// Detached returns a context that never ends, and asks for what is here if ctx does:
// for a transaction whose user looks at ctx itself. It costs nothing.
func Detached(ctx context.Context) context.Context {
	if IsOffline(ctx) {
		return offline
	}
	return context.Background()
}

package store

// Shared is implemented by a [Store] whose data others may write to as well: other
// processes, or other stores over the same origin. Whoever keeps something of it
// in memory must look whether it still holds. It is then also a [Watcher].
type Shared interface {
	// Shared says whether it is so.
	Shared() bool
}

// IsShared says whether s is [Shared].
func IsShared(s Store) bool {
	sh, ok := s.(Shared)
	return ok && sh.Shared()
}

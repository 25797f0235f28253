package store

// Embedded is implemented by a [Store] that keeps its data in this process or on
// its machine, so that to ask it for its newest version costs no request.
type Embedded interface {
	// Embedded says whether it does so.
	Embedded() bool
}

// IsEmbedded says whether s is [Embedded]. A store with a method Self, as of
// [Getter], that is not its own embeds another: then it is none.
func IsEmbedded(s Store) bool {
	if own, ok := s.(interface{ Self() Store }); ok && own.Self() != s {
		return false
	}
	e, ok := s.(Embedded)
	return ok && e.Embedded()
}

package store

// Verified is implemented by a [Store] that checks its own bytes: what it
// returns is what was committed, since it verifies each block when it loads it
// from a disk, or keeps everything in memory. What was committed with a checksum
// then need not be checked again when it is read. A store that checks its files
// now and then, as a [Verifier] does, is not meant.
type Verified interface {
	// Verified says whether it does so as it was opened.
	Verified() bool
}

// IsVerified says whether s is [Verified]. A store with a method Self, as of
// [Getter], that is not its own embeds another: then it is none.
func IsVerified(s Store) bool {
	if own, ok := s.(interface{ Self() Store }); ok && own.Self() != s {
		return false
	}
	v, ok := s.(Verified)
	return ok && v.Verified()
}

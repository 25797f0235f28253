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

// SealKeeper is implemented by a [Verified] store that knows which of its values were
// written with a checksum, since all its cursors are [SealedCursor]. Over it that is
// believed, value by value, and not that all of it is verified: what a program has put
// into it in any other way may be anything.
type SealKeeper interface {
	Verified
	// KeepsSeals says whether it does so as it was opened.
	KeepsSeals() bool
}

// IsBelieved says whether nothing that s returns need be checked by who reads it: s is
// [Verified], and no [SealKeeper].
func IsBelieved(s Store) bool {
	k, ok := s.(SealKeeper)
	return IsVerified(s) && !(ok && k.KeepsSeals())
}

// Sealer is implemented by a [Tx] that remembers which values need no check by who
// reads them: those that were written with a checksum, and have been in memory ever
// since, where nothing changes them. A store that keeps its entries in memory has
// such transactions; in others that is so for a transaction's own writes. What was
// written in any other way, and be it the same bytes, is to be checked.
type Sealer interface {
	// SetSealed is Set of a value that the caller has sealed just now, with a
	// checksum of the key and of all else that it needs to be the value of. With
	// created it is Create of [Creator].
	SetSealed(key, value []byte, created bool) error
}

// SetSealed sets a value that the caller has sealed just now. With created the key
// is absent in tx.
func SetSealed(tx Tx, key, value []byte, created bool) error {
	switch s, ok := tx.(Sealer); {
	case ok:
		return s.SetSealed(key, value, created)
	case created:
		return Create(tx, key, value)
	}
	return tx.Set(key, value)
}

// SealedCursor is implemented by a [Cursor] of a [Sealer].
type SealedCursor interface {
	Cursor
	// Sealed says whether the current value was set by SetSealed, and has been in
	// memory ever since.
	Sealed() bool
}

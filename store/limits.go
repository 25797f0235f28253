package store

// Limiter is implemented by a [Store] that limits keys and transactions, so that a
// store over it can refuse what it would refuse, at once.
type Limiter interface {
	// Limits returns the length of the longest key, 0 for any, and what a
	// transaction gets that has written so many keys, with so many bytes in
	// them and their values; nil where any is taken.
	Limits() (maxKey int, tooLarge func(keys, bytes int) error)
}

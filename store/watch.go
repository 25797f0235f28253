package store

// Recorder is implemented by a [Tx] that can say what it has read.
type Recorder interface {
	// Record has a read-only transaction note what it reads from here on. A
	// write transaction always does.
	Record()

	// Footprint returns what has been noted: ranges, ascending and disjoint, one
	// key being the range that holds it alone. What a cursor has passed over
	// counts, and no more; Guard counts. There are at most some hundred ranges:
	// of a transaction that has read more, those that lie close together come
	// as one. So the footprint may hold more than what was read, but never
	// less; it is everything where the transaction has ended or was not told to
	// Record. The caller owns it.
	Footprint() []Range
}

// Record has tx note what it reads, if it can.
func Record(tx Tx) {
	if r, ok := tx.(Recorder); ok {
		r.Record()
	}
}

// Footprint returns what tx has read since [Record], or everything where it
// cannot say.
func Footprint(tx Tx) []Range {
	if r, ok := tx.(Recorder); ok {
		return r.Footprint()
	}
	return []Range{{}}
}

// Watcher is implemented by a [Store] that notices when something is written
// that was read before. The ranges are those of [Recorder.Footprint], or others
// that ascend and are disjoint, and version is that of the transaction that read
// them. So "is still current" and "may commit" are one question.
type Watcher interface {
	// Written says whether a key in ranges has been written after version. It
	// returns ErrGap where the store no longer knows.
	Written(ranges []Range, version uint64) (bool, error)

	// Watch returns a channel that is closed when a commit after version writes
	// a key in ranges: after transactions that begin see the commit, and before
	// its Commit returns. It is closed already if there was such a commit, or
	// if the store does not know. Close of the store closes it, too. The caller
	// calls stop in the end, which frees the watch; the channel then stays as
	// it is. The ranges may not change meanwhile.
	Watch(ranges []Range, version uint64) (written <-chan struct{}, stop func())
}

package codec

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A mapEntry is where one key and its value have been appended.
type mapEntry struct{ start, key, end int }

// sortEntries brings the entries, which are the last that was appended to dst,
// into the order of their bytes. Two equal keys are an error unless they may
// be repeated.
func sortEntries(dst []byte, entries []mapEntry, repeats bool) ([]byte, error) {
	if len(entries) < 2 {
		return dst, nil
	}
	compare := func(a, b mapEntry) int { return bytes.Compare(dst[a.start:a.end], dst[b.start:b.end]) }
	first, last := entries[0].start, len(dst)
	if !slices.IsSortedFunc(entries, compare) {
		slices.SortFunc(entries, compare)
		for _, e := range entries {
			dst = append(dst, dst[e.start:e.end]...)
		}
	}
	for i := 1; i < len(entries) && !repeats; i++ {
		a, b := entries[i-1], entries[i]
		if bytes.Equal(dst[a.start:a.key], dst[b.start:b.key]) {
			return dst, errors.New("two keys of the map are stored alike")
		}
	}
	if len(dst) > last {
		dst = dst[:first+copy(dst[first:], dst[last:])]
	}
	return dst, nil
}

var errRepeated = fmt.Errorf("%w: a map with two equal keys", ErrCorrupt)

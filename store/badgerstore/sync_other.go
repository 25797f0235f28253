//go:build !linux

package badgerstore

import "os"

// ownSync says that Badger syncs: elsewhere a sync of the file need not cover
// what was written through its memory map.
const ownSync = false

func syncData(*os.File) error { return nil }

package cache

import (
	"fmt"

	"github.com/kivisdb/kivis/store"
)

// ErrUnreachable: the origin cannot be reached now, and what was asked for is not
// here.
var ErrUnreachable = store.ErrUnreachable

// ErrGap: the origin no longer knows what was committed after a version.
var ErrGap = store.ErrGap

// errOffline is what a read gets of what no layer knows, without the origin.
var errOffline = fmt.Errorf("cache: %w: no layer knows what was asked for", store.ErrUnreachable)

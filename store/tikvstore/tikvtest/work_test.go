package tikvtest_test

import (
	"github.com/kivisdb/kivis/internal/sharedtest"
)

// What is done to a store that several processes have open.
var (
	update   = sharedtest.Update
	set      = sharedtest.Set
	get      = sharedtest.Get
	work     = sharedtest.Work
	wantWork = sharedtest.WantWork
)

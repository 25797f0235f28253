package tikvstore

import (
	"sync"

	tikverr "github.com/tikv/client-go/v2/error"
)

// manyOpen is how many proposals are remembered as open.
const manyOpen = 1000

// openCommits are proposals of which it is not known whether they were made.
type openCommits struct {
	mu  sync.Mutex
	ids map[[16]byte]bool
}

// note remembers a proposal if an error leaves its outcome open.
func (o *openCommits) note(id [16]byte, err error) {
	if !tikverr.IsErrorUndetermined(err) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil || len(o.ids) == manyOpen {
		o.ids = map[[16]byte]bool{} // of the others nobody has asked for long
	}
	o.ids[id] = true
}

func (o *openCommits) has(id [16]byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ids[id]
}

func (o *openCommits) settle(id [16]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.ids, id)
}

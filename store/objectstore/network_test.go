package objectstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// fate is what becomes of a request.
type fate int

const (
	deliver fate = iota
	cut          // nothing is sent, which is known at once
	lose         // it does not arrive
	loseReply
	twice // it arrives twice, and the second reply is the one that comes back
	late  // it is given up, and arrives later
	refuse
)

// network is a transport that fails on command.
type network struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	odds  map[fate]float64
	delay time.Duration // at random up to so long
	hook  func(call string) fate
	calls map[string]int
	work  sync.WaitGroup
}

// fail sets what becomes of requests at random.
func (n *network) fail(odds map[fate]float64, delay time.Duration, seed uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.odds, n.delay, n.rnd = odds, delay, rand.New(rand.NewPCG(seed, 0))
}

// on has hook decide what becomes of each request; nil ends that. It may take its time.
func (n *network) on(hook func(call string) fate) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hook = hook
}

// count returns how many requests there were, by kind, since the last time.
func (n *network) count() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	calls := n.calls
	n.calls = nil
	return calls
}

// callOf names the kind of a request: its method, and the folder of the object.
func callOf(r *http.Request) string {
	q := r.URL.Query()
	if q.Has("list-type") {
		parts := strings.Split(strings.TrimSuffix(q.Get("prefix"), "/"), "/")
		return "LIST " + parts[len(parts)-1]
	}
	parts := strings.Split(r.URL.Path, "/")
	if last := parts[len(parts)-1]; last == "boundary" || len(parts) < 3 || q.Has("delete") {
		return r.Method + " " + last
	}
	return r.Method + " " + parts[len(parts)-2]
}

func (n *network) decide(call string) (f fate, d time.Duration) {
	n.mu.Lock()
	hook := n.hook
	if n.calls == nil {
		n.calls = map[string]int{}
	}
	n.calls[call]++
	if n.rnd != nil {
		x := n.rnd.Float64()
		for f = deliver + 1; f <= late; f++ {
			if x -= n.odds[f]; x < 0 {
				break
			}
		}
		if f > late {
			f = deliver
		}
		if n.delay > 0 {
			d = time.Duration(n.rnd.Int64N(int64(n.delay)))
		}
	}
	n.mu.Unlock()
	if hook != nil {
		return hook(call), d
	}
	return f, d
}

var errLost = errors.New("lost on the network")

// RoundTrip implements http.RoundTripper.
func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	send := func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		if r.Body != nil {
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		return http.DefaultTransport.RoundTrip(r)
	}
	call := callOf(r)
	f, d := n.decide(call)
	if d > 0 {
		time.Sleep(d)
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	switch f {
	case cut:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("cut")}
	case lose:
		return nil, fmt.Errorf("%s: %w", call, errLost)
	case late:
		n.work.Go(func() {
			time.Sleep(20 * time.Millisecond)
			drop(send(r.Clone(background)))
		})
		return nil, fmt.Errorf("%s: %w", call, errLost)
	case loseReply:
		drop(send(r))
		return nil, fmt.Errorf("the reply to %s: %w", call, errLost)
	case twice:
		drop(send(r))
	case refuse:
		body := `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	}
	return send(r)
}

// drop reads a reply that nobody gets.
func drop(reply *http.Response, err error) {
	if err == nil {
		io.Copy(io.Discard, reply.Body)
		reply.Body.Close()
	}
}

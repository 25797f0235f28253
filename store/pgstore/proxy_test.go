package pgstore_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fate is what becomes of a statement.
type fate int

const (
	deliver   fate = iota
	lose           // it does not arrive, and the connection ends
	loseReply      // it is carried out, and the connection ends
)

// proxy is in front of the server, and counts what is sent: a round trip is what
// ends in a Sync or is a simple query. It decides what becomes of each.
type proxy struct {
	dir    string // of its socket
	server string // the server's socket
	trips  atomic.Int64
	mu     sync.Mutex
	hook   func(n int64, sent []byte) fate // may take its time
	work   sync.WaitGroup
	listen net.Listener
	conns  map[net.Conn]bool
}

const socket = ".s.PGSQL.5432"

// newProxy starts one, which ends with the test.
func newProxy(t testing.TB) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "kivis-proxy") // short enough for a socket's name
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dir: dir, server: filepath.Join(running(t).Dir(), socket), conns: map[net.Conn]bool{}}
	if p.listen, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		p.listen.Close()
		p.cut()
		p.work.Wait()
		os.RemoveAll(dir)
	})
	return p
}

// url returns url by way of the proxy.
func (p *proxy) url(url string) string {
	return strings.Replace(url, "host="+filepath.Dir(p.server), "host="+p.dir, 1)
}

// on has hook decide what becomes of each round trip, which are counted from 1 again.
func (p *proxy) on(hook func(n int64, sent []byte) fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook = hook
	p.trips.Store(0)
}

// count returns how many round trips there were since the last time.
func (p *proxy) count() int64 { return p.trips.Swap(0) }

// cut ends all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) accept() {
	for {
		client, err := p.listen.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.server)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		c := &proxied{p: p, client: client, server: server}
		p.work.Go(c.requests)
		p.work.Go(c.replies)
	}
}

// proxied is one connection.
type proxied struct {
	p              *proxy
	client, server net.Conn
	silent         atomic.Bool // the reply is not to arrive
}

func (c *proxied) close() {
	c.client.Close()
	c.server.Close()
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	delete(c.p.conns, c.client)
	delete(c.p.conns, c.server)
}

// message reads one message, of which the first of a client has no type.
func message(r io.Reader, typed bool) ([]byte, error) {
	n := 4
	if typed {
		n = 5
	}
	head := make([]byte, n)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint32(head[n-4:])) - 4
	if size < 0 || size > 1<<30 {
		return nil, errors.New("not the protocol of PostgreSQL")
	}
	all := append(head, make([]byte, size)...)
	_, err := io.ReadFull(r, all[n:])
	return all, err
}

func (c *proxied) requests() {
	defer c.close()
	sent, err := message(c.client, false)
	for begun := true; err == nil; begun = false {
		end := begun || sent[0] == 'X'
		for at := 0; !end && err == nil; {
			end = sent[at] == 'S' || sent[at] == 'Q'
			if !end {
				var next []byte
				next, err = message(c.client, true)
				at, sent = len(sent), append(sent, next...)
			}
		}
		if err != nil || !c.forward(sent, begun) {
			return
		}
		sent, err = message(c.client, true)
	}
}

// forward decides what becomes of sent, and says whether the connection goes on.
func (c *proxied) forward(sent []byte, uncounted bool) bool {
	f := deliver
	if !uncounted && sent[0] != 'X' {
		c.p.mu.Lock()
		n, hook := c.p.trips.Add(1), c.p.hook
		c.p.mu.Unlock()
		if hook != nil {
			f = hook(n, sent)
		}
	}
	if f == lose {
		return false
	}
	c.silent.Store(f == loseReply)
	_, err := c.server.Write(sent)
	return err == nil
}

func (c *proxied) replies() {
	defer c.close()
	for {
		reply, err := message(c.server, true)
		if err != nil {
			return
		}
		if c.silent.Load() {
			if reply[0] == 'Z' {
				return
			}
			continue
		}
		if _, err := c.client.Write(reply); err != nil {
			return
		}
	}
}

package pgstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// listener waits for the server's notifications, over a connection of its own.
type listener struct {
	config  *pgx.ConnConfig
	channel string
	poll    time.Duration

	mu   sync.Mutex
	conn *pgx.Conn // listens; nil before the first use and after an error
}

// Wait implements remote.Backend.
func (b *backend) Wait(ctx context.Context, after uint64) (uint64, error) {
	if err := b.listener.listen(ctx); err != nil {
		return 0, outcome(err)
	}
	// It listens, so that what is committed after this is notified.
	version, err := b.Head(ctx)
	if err != nil || version > after {
		return version, err
	}
	if err := b.listener.wait(ctx); err != nil {
		return 0, outcome(err)
	}
	return b.Head(ctx)
}

// listen connects, unless it has.
func (l *listener) listen(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "listen "+pgx.Identifier{l.channel}.Sanitize()); err != nil {
		return errors.Join(err, conn.Close(ctx))
	}
	l.conn = conn
	return nil
}

// wait returns at the next notification, or after poll.
func (l *listener) wait(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		return nil
	}
	polled, cancel := context.WithTimeout(ctx, l.poll)
	defer cancel()
	_, err := l.conn.WaitForNotification(polled)
	if err == nil || polled.Err() != nil && ctx.Err() == nil && !l.conn.IsClosed() {
		return nil
	}
	l.conn.Close(context.WithoutCancel(ctx))
	l.conn = nil
	return err
}

// close ends the connection. Nobody waits any more.
func (l *listener) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		l.conn.Close(ctx)
		l.conn = nil
	}
}

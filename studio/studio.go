package studio

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"time"

	"github.com/kivisdb/kivis"
)

// Options are the settings of a studio. A nil *Options means all defaults.
type Options struct {
	// Write lets pages change records. Without it nothing can be changed.
	Write bool

	// Token is what the first URL must have as ?token=. Where it is empty one is
	// drawn, as NewToken does, and logged.
	Token string

	// Hosts are the names, without port, that the studio may be reached by besides
	// those of loopback: localhost, 127.0.0.1 and [::1].
	Hosts []string

	// PageSize is how many records a page has; 0 means 50.
	PageSize int

	// Deadline is how long a count, a facet or another panel beside the records
	// may take, and Timeout how long the records may. 0 means 200 ms and 5 s.
	Deadline, Timeout time.Duration

	// Logger gets the token that was drawn, and what fails. nil means
	// slog.Default().
	Logger *slog.Logger
}

// NewToken draws a token of 128 bits.
func NewToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: see crypto/rand
	return hex.EncodeToString(b[:])
}

// Handler returns the studio of a database, to be served at / or, behind
// http.StripPrefix, anywhere else. The database stays the caller's to close.
func Handler(db *kivis.DB, opts *Options) http.Handler {
	s := &server{db: db, opts: withDefaults(opts)}
	return newGuard(&s.opts, http.HandlerFunc(s.route))
}

// withDefaults returns the options with what is not set.
func withDefaults(opts *Options) Options {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.PageSize <= 0 {
		o.PageSize = 50
	}
	if o.Deadline <= 0 {
		o.Deadline = 200 * time.Millisecond
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Token == "" {
		o.Token = NewToken()
		o.Logger.Info("studio: open the first page with this token", "query", "?token="+o.Token)
	}
	return o
}

// server answers requests that the guard has let through.
type server struct {
	db   *kivis.DB
	opts Options
}

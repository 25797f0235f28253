package pgstore

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// defaultName is the store of a URL without kivis_db.
const defaultName = "main"

var names = regexp.MustCompile(`^[a-z0-9_]{1,48}$`)

// place is where a store is.
type place struct {
	config *pgxpool.Config
	schema string // at the server
}

// placeOf returns the place that a URL says.
func placeOf(rawURL string) (*place, error) {
	if !strings.HasPrefix(rawURL, "postgres://") && !strings.HasPrefix(rawURL, "postgresql://") {
		return nil, fmt.Errorf("pgstore: want a URL that begins with postgres://")
	}
	dsn, name, err := split(rawURL)
	if err != nil {
		return nil, err
	}
	if !names.MatchString(name) {
		return nil, fmt.Errorf("pgstore: kivis_db is %q; want up to 48 of a to z, 0 to 9 and _", name)
	}
	config, err := configOf(dsn)
	if err != nil {
		return nil, err
	}
	return &place{config, "kivis_" + name}, nil
}

// replicaOf returns the pool's settings that the URL of a replica says.
func replicaOf(rawURL string) (*pgxpool.Config, error) {
	if strings.Contains(rawURL, "kivis_db=") {
		return nil, errors.New("pgstore: Options.Replicas: kivis_db is in the URL of Open alone")
	}
	config, err := configOf(rawURL)
	if err != nil {
		return nil, fmt.Errorf("pgstore: Options.Replicas: %w", err)
	}
	return config, nil
}

// configOf returns the pool's settings that a URL says.
func configOf(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	pingAfterFailure(config)
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "kivis"
	}
	return config, nil
}

// pingAfterFailure has a connection tried before it is used only where it was last used
// before another one broke: a try is a round trip, and what fails without one is made
// again by package remote.
func pingAfterFailure(config *pgxpool.Config) {
	start := time.Now()
	var broke atomic.Int64 // since start; 0 is never
	config.BeforeClose = func(conn *pgx.Conn) {
		if conn.IsClosed() {
			broke.Store(int64(time.Since(start)))
		}
	}
	config.ShouldPing = func(_ context.Context, p pgxpool.ShouldPingParams) bool {
		at := broke.Load()
		return at > 0 && p.IdleDuration > time.Since(start)-time.Duration(at)
	}
}

// split takes kivis_db out of a URL.
func split(rawURL string) (dsn, name string, err error) {
	base, query, _ := strings.Cut(rawURL, "?")
	name = defaultName
	var rest []string
	for _, setting := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(setting, "=")
		switch {
		case setting == "":
		case key == "kivis_db":
			if name, err = url.QueryUnescape(value); err != nil {
				return "", "", fmt.Errorf("pgstore: kivis_db: %w", err)
			}
		default:
			rest = append(rest, setting)
		}
	}
	if len(rest) > 0 {
		base += "?" + strings.Join(rest, "&")
	}
	return base, name, nil
}

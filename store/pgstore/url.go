package pgstore

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

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
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "kivis"
	}
	return &place{config, "kivis_" + name}, nil
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

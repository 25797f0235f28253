package pgstore

import (
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for _, test := range []struct {
		name, url, schema, err string
		host                   string
	}{
		{"plain", "postgres://u@h/d", "kivis_main", "", "h"},
		{"name", "postgres://u@h/d?kivis_db=shop", "kivis_shop", "", "h"},
		{"other settings", "postgresql://u@h/d?sslmode=disable&kivis_db=shop&pool_max_conns=3", "kivis_shop", "", "h"},
		{"socket", "postgres://u@/d?host=/run/pg&kivis_db=a_1", "kivis_a_1", "", "/run/pg"},
		{"escaped", "postgres://u@h/d?kivis_db=%61b", "kivis_ab", "", "h"},
		{"no URL", "host=h dbname=d", "", "postgres://", ""},
		{"bad name", "postgres://u@h/d?kivis_db=Shop", "", `kivis_db is "Shop"`, ""},
		{"empty name", "postgres://u@h/d?kivis_db=", "", "kivis_db", ""},
		{"quote in name", `postgres://u@h/d?kivis_db="`, "", "kivis_db", ""},
		{"bad setting", "postgres://u@h/d?pool_max_conns=many", "", "pool_max_conns", ""},
	} {
		p, err := placeOf(test.url)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one that says %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil || p.schema != test.schema || p.config.ConnConfig.Host != test.host {
			t.Errorf("%s: %+v, error %v; want schema %s at %s", test.name, p, err, test.schema, test.host)
			continue
		}
		if _, ok := p.config.ConnConfig.RuntimeParams["kivis_db"]; ok {
			t.Errorf("%s: kivis_db is sent to the server", test.name)
		}
	}
}

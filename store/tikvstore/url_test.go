package tikvstore

import (
	"slices"
	"strings"
	"testing"
)

func TestURL(t *testing.T) {
	for _, test := range []struct {
		name, url string
		pd        []string
		store     string
		err       string
	}{
		{"plain", "tikv://h", []string{"h:2379"}, "main", ""},
		{"name", "tikv://h:1/shop", []string{"h:1"}, "shop", ""},
		{"several", "tikv://a:1,b,[::1]:3/a_1", []string{"a:1", "b:2379", "[::1]:3"}, "a_1", ""},
		{"bare IPv6", "tikv://[::1]/x", []string{"[::1]:2379"}, "x", ""},
		{"TLS", "tikv://h/x?ca=a&cert=b&key=c", []string{"h:2379"}, "x", ""},
		{"no URL", "h:2379/x", nil, "", "tikv://"},
		{"no host", "tikv:///x", nil, "", "no address"},
		{"no host among", "tikv://a,,b/x", nil, "", "no address"},
		{"user", "tikv://u@h/x", nil, "", `"u@h"`},
		{"bad name", "tikv://h/Shop", nil, "", `name is "Shop"`},
		{"folder", "tikv://h/a/b", nil, "", `name is "a/b"`},
		{"unknown setting", "tikv://h/x?pool=3", nil, "", `"pool"`},
		{"key alone", "tikv://h/x?ca=a&key=c", nil, "", "cert and key"},
		{"no ca", "tikv://h/x?cert=b&key=c", nil, "", "ca beside"},
	} {
		p, err := placeOf(test.url)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one that says %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil || p.name != test.store || !slices.Equal(p.pd, test.pd) {
			t.Errorf("%s: %+v, error %v; want %s at %v", test.name, p, err, test.store, test.pd)
		}
	}
}

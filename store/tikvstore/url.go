package tikvstore

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// defaultName is the store of a URL without one.
const defaultName = "main"

var names = regexp.MustCompile(`^[a-z0-9_]{1,48}$`)

// place is where a store is.
type place struct {
	pd            []string // addresses
	name          string
	ca, cert, key string // files, for TLS
}

// placeOf returns the place that a URL says.
func placeOf(rawURL string) (*place, error) {
	rest, ok := strings.CutPrefix(rawURL, "tikv://")
	if !ok {
		return nil, fmt.Errorf("tikvstore: want a URL like tikv://HOST:2379,HOST:2379/NAME")
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, name, _ := strings.Cut(rest, "/")
	p := &place{name: name}
	if name == "" {
		p.name = defaultName
	}
	if err := checkName(p.name); err != nil {
		return nil, err
	}
	for _, host := range strings.Split(hosts, ",") {
		at, err := address(host)
		if err != nil {
			return nil, err
		}
		p.pd = append(p.pd, at)
	}
	return p, p.set(query)
}

// checkName returns an error if there can be no store of a name.
func checkName(name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("tikvstore: the store's name is %q; want up to 48 of a to z, 0 to 9 and _", name)
	}
	return nil
}

// pdPort is PD's.
const pdPort = "2379"

// address returns a host with its port.
func address(host string) (string, error) {
	if name, port, err := net.SplitHostPort(host); err == nil && name != "" && port != "" {
		return host, nil
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if bare == "" || strings.ContainsAny(bare, "@/[]") || strings.Contains(bare, ":") && net.ParseIP(bare) == nil {
		return "", fmt.Errorf("tikvstore: %q is no address of PD's; want HOST or HOST:%s, several with commas between", host, pdPort)
	}
	return net.JoinHostPort(bare, pdPort), nil
}

// set takes the settings of a URL.
func (p *place) set(query string) error {
	settings, err := url.ParseQuery(query)
	if err != nil {
		return fmt.Errorf("tikvstore: the URL's settings: %w", err)
	}
	for key, values := range settings {
		to := map[string]*string{"ca": &p.ca, "cert": &p.cert, "key": &p.key}[key]
		if to == nil {
			return fmt.Errorf("tikvstore: the URL has a setting %q; there are ca, cert and key, each a file", key)
		}
		*to = values[len(values)-1]
	}
	if (p.cert == "") != (p.key == "") || p.cert != "" && p.ca == "" {
		return fmt.Errorf("tikvstore: the URL needs ca beside cert and key, and those two together")
	}
	return nil
}

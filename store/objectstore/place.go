package objectstore

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// place is where a store is.
type place struct {
	bucket string
	prefix string // of the names of all objects: empty, or ends in a slash
	host   string
	region string
	plain  bool // without TLS
	lookup minio.BucketLookupType
}

const (
	amazon        = "s3.amazonaws.com"
	defaultRegion = "us-east-1"
)

// placeOf returns the place that a URL says.
func placeOf(rawURL string) (*place, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("objectstore: %w", err)
	case u.Scheme != "s3" || u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("objectstore: want a URL such as s3://BUCKET/PREFIX?endpoint=https://HOST")
	case u.User != nil:
		return nil, fmt.Errorf("objectstore: the URL has a user; keys go into Options, or into the environment")
	case u.Port() != "":
		return nil, fmt.Errorf("objectstore: a bucket has no port; that of a server goes into endpoint")
	}
	if err := s3utils.CheckValidBucketName(u.Host); err != nil {
		return nil, fmt.Errorf("objectstore: no bucket can have the name %q: %w", u.Host, err)
	}
	p := &place{bucket: u.Host, host: amazon, lookup: minio.BucketLookupAuto}
	if p.prefix = strings.Trim(u.Path, "/"); p.prefix != "" {
		p.prefix += "/"
	}
	settings, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("objectstore: %w", err)
	}
	for key, values := range settings {
		if len(values) > 1 {
			return nil, fmt.Errorf("objectstore: %s stands there %d times", key, len(values))
		}
		if err := p.set(key, values[0]); err != nil {
			return nil, fmt.Errorf("objectstore: %w", err)
		}
	}
	if p.region == "" && p.host != amazon {
		p.region = defaultRegion // else it is asked for
	}
	return p, nil
}

// set takes in one setting of the URL.
func (p *place) set(key, value string) error {
	switch key {
	case "endpoint":
		return p.setEndpoint(value)
	case "region":
		p.region = value
		return nil
	case "style":
		switch value {
		case "path":
			p.lookup = minio.BucketLookupPath
			return nil
		case "host":
			p.lookup = minio.BucketLookupDNS
			return nil
		}
		return fmt.Errorf("style is %q; want path or host", value)
	}
	return fmt.Errorf("unknown setting %q; there are endpoint, region and style", key)
}

func (p *place) setEndpoint(value string) error {
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return fmt.Errorf("endpoint is %q; want a host, with http:// before it if it is without TLS", value)
	}
	p.host, p.plain = u.Host, u.Scheme == "http"
	return nil
}

// String names the place for messages.
func (p *place) String() string { return "s3://" + p.bucket + "/" + strings.TrimSuffix(p.prefix, "/") }

// connect returns the bucket of the place. It makes no request.
func (p *place) connect(o *Options) (*bucket, error) {
	keys := credentials.NewStaticV4(o.AccessKey, o.SecretKey, o.Token)
	if o.AccessKey == "" {
		keys = credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.FileAWSCredentials{}, &credentials.IAM{},
		})
	}
	core, err := minio.NewCore(p.host, &minio.Options{
		Creds: keys, Secure: !p.plain, Region: p.region, BucketLookup: p.lookup, Transport: o.Transport,
		MaxRetries: 1, // what was asked for may have been done: we see to that ourselves
	})
	if err != nil {
		return nil, fmt.Errorf("objectstore: %w", err)
	}
	return &bucket{core: core, place: p, timeout: o.Timeout}, nil
}

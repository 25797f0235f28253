package objectstore

import (
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
)

func TestURL(t *testing.T) {
	for _, test := range []struct {
		name, url string
		want      place
		err       string
	}{
		{"plain", "s3://bkt/p", place{bucket: "bkt", prefix: "p/", host: amazon}, ""},
		{"no prefix", "s3://bkt", place{bucket: "bkt", host: amazon}, ""},
		{"deep", "s3://bkt/p/q/?region=eu-west-1", place{bucket: "bkt", prefix: "p/q/", host: amazon, region: "eu-west-1"}, ""},
		{"endpoint", "s3://bkt/p?endpoint=http://127.0.0.1:9000", place{bucket: "bkt", prefix: "p/", host: "127.0.0.1:9000", plain: true, region: defaultRegion}, ""},
		{"endpoint with TLS", "s3://bkt/p?endpoint=s3.example.com&style=host", place{bucket: "bkt", prefix: "p/", host: "s3.example.com", region: defaultRegion, lookup: minio.BucketLookupDNS}, ""},
		{"style", "s3://bkt/p?endpoint=https%3A%2F%2Fx%2F&style=path", place{bucket: "bkt", prefix: "p/", host: "x", region: defaultRegion, lookup: minio.BucketLookupPath}, ""},
		{"no URL", "b/p", place{}, "s3://BUCKET"},
		{"other scheme", "http://b/p", place{}, "s3://BUCKET"},
		{"no bucket", "s3:///p", place{}, "s3://BUCKET"},
		{"short bucket", "s3://b/p", place{}, `no bucket can have the name "b"`},
		{"user", "s3://key:secret@bkt/p", place{}, "Options"},
		{"port", "s3://bkt:9000/p", place{}, "endpoint"},
		{"unknown setting", "s3://bkt/p?regoin=x", place{}, `"regoin"`},
		{"setting twice", "s3://bkt/p?region=x&region=y", place{}, "2 times"},
		{"bad style", "s3://bkt/p?style=dns", place{}, `style is "dns"`},
		{"bad endpoint", "s3://bkt/p?endpoint=ftp://x", place{}, "ftp://x"},
		{"endpoint with path", "s3://bkt/p?endpoint=http://x/b", place{}, "http://x/b"},
		{"empty endpoint", "s3://bkt/p?endpoint=", place{}, "endpoint"},
	} {
		p, err := placeOf(test.url)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: error %v, want one that says %q", test.name, err, test.err)
			}
			continue
		}
		if err != nil || *p != test.want {
			t.Errorf("%s: %+v, error %v; want %+v", test.name, p, err, test.want)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		options Options
		err     string
	}{
		{Options{}, ""},
		{Options{Timeout: -1}, "Timeout"},
		{Options{Keep: -1}, "Keep"},
		{Options{Checkpoint: -1}, "Checkpoint"},
		{Options{Poll: -1}, "Poll"},
		{Options{MaxTx: maxTx + 1}, "MaxTx"},
		{Options{AccessKey: "a"}, "SecretKey"},
		{Options{SecretKey: "a"}, "AccessKey"},
	} {
		if _, err := test.options.filled(); (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%+v: error %v, want one that says %q", test.options, err, test.err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, version := range []uint64{0, 1, 42, 1<<64 - 1} {
		name := nameOf(logFolder, version)
		if got, ok := versionOf(logFolder, name); got != version || !ok {
			t.Errorf("versionOf(%s) = %d, %v", name, got, ok)
		}
	}
	for _, name := range []string{"", "log/", "log/1", "log/0000000000000000000x", "log/99999999999999999999", "log/000000000000000000001", "checkpoint/00000000000000000001", "log/+0000000000000000001"} {
		if v, ok := versionOf(logFolder, name); ok {
			t.Errorf("versionOf(%q) = %d, true", name, v)
		}
	}
}

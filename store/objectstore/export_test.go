package objectstore

import (
	"context"
	"time"

	"github.com/minio/minio-go/v7"
)

// Checkpoint makes one now, as is done in the background.
func (s *Store) Checkpoint(ctx context.Context) error { return s.backend.checkpoint(ctx) }

// Collect drops what is older than keep, as is done in the background.
func (s *Store) Collect(ctx context.Context, keep time.Duration) error {
	return s.backend.collect(ctx, keep)
}

// Boundary returns up to which version the log may be gone, and the version of the
// newest checkpoint.
func (s *Store) Boundary(ctx context.Context) (version, checkpoint uint64, err error) {
	n, err := s.backend.bucket.boundary(ctx)
	return n.version, n.checkpoint.version, err
}

// Names returns the names of a store's objects, without the prefix.
func (s *Store) Names(ctx context.Context) (names []string, err error) {
	err = s.backend.bucket.walk(ctx, func(list []object) error {
		for _, o := range list {
			names = append(names, o.name)
		}
		return nil
	})
	return names, err
}

// Object returns an object.
func (s *Store) Object(ctx context.Context, name string) ([]byte, error) {
	data, _, err := s.backend.bucket.get(ctx, name, maxObject)
	return data, err
}

// Put replaces an object, or deletes it where data is nil.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	if data == nil {
		return s.backend.bucket.remove(ctx, []string{name})
	}
	_, err := s.backend.bucket.put(ctx, name, data, minio.PutObjectOptions{})
	return err
}

// LogName returns the name of a version's object of the log.
func LogName(version uint64) string { return nameOf(logFolder, version) }

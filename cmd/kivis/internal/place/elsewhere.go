package place

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pingcap/log"
	"go.uber.org/zap/zapcore"

	"github.com/kivisdb/kivis/store"
	"github.com/kivisdb/kivis/store/objectstore"
	"github.com/kivisdb/kivis/store/pgstore"
	"github.com/kivisdb/kivis/store/tikvstore"
)

// The kinds of stores that are elsewhere, at a URL.
const (
	S3       Kind = "s3"
	Postgres Kind = "postgres"
	TiKV     Kind = "tikv"
)

// origin is what is to be known of a kind of store that is elsewhere.
type origin struct {
	kind    Kind
	schemes []string // what its URLs begin with
	open    func(ctx context.Context, url string, mustExist bool, o *Options) (store.Store, error)
}

var elsewhere = []origin{
	{S3, []string{"s3://"}, openS3},
	{Postgres, []string{"postgres://", "postgresql://"}, openPostgres},
	{TiKV, []string{"tikv://"}, openTiKV},
}

// schemeOf returns the kind of a URL, or none where text is not one.
func schemeOf(text string) Kind {
	for _, o := range elsewhere {
		for _, scheme := range o.schemes {
			if strings.HasPrefix(text, scheme) {
				return o.kind
			}
		}
	}
	return ""
}

// Elsewhere reports whether the store is at a URL, and not in files of this machine.
func (p Place) Elsewhere() bool { return p.origin() != nil }

func (p Place) origin() *origin {
	for i := range elsewhere {
		if elsewhere[i].kind == p.Kind {
			return &elsewhere[i]
		}
	}
	return nil
}

// openAt opens the store at a URL, which is made if it may be.
func (p Place) openAt(from *origin, o *Options) (store.Store, error) {
	st, err := from.open(context.Background(), p.Path, !p.make, o)
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, store.ErrUnreachable) {
		return nil, fmt.Errorf("there is no database %s", p.Path)
	}
	return st, err
}

func openS3(ctx context.Context, url string, mustExist bool, o *Options) (store.Store, error) {
	return opened(objectstore.Open(ctx, url, &objectstore.Options{ReadOnly: o.ReadOnly, MustExist: mustExist, Progress: o.Progress}))
}

func openPostgres(ctx context.Context, url string, mustExist bool, o *Options) (store.Store, error) {
	return opened(pgstore.Open(ctx, url, &pgstore.Options{ReadOnly: o.ReadOnly, MustExist: mustExist}))
}

func openTiKV(ctx context.Context, url string, mustExist bool, o *Options) (store.Store, error) {
	log.SetLevel(zapcore.FatalLevel) // the client would tell standard error of all that it does
	return opened(tikvstore.Open(ctx, url, &tikvstore.Options{ReadOnly: o.ReadOnly, MustExist: mustExist}))
}

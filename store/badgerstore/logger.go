package badgerstore

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
)

// logger passes on what Badger logs. Its information is of no use to a user of
// the store, and its warnings are about things that it then does right; both
// may hold keys.
type logger struct{ to *slog.Logger }

func newLogger(to *slog.Logger) badger.Logger {
	if to == nil {
		return nil
	}
	return logger{to}
}

func (l logger) Errorf(format string, args ...any) {
	l.to.Warn("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (l logger) Warningf(format string, args ...any) {
	l.to.Debug("badgerstore: engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (logger) Infof(string, ...any)  {}
func (logger) Debugf(string, ...any) {}

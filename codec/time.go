package codec

import (
	"fmt"
	"time"

	"github.com/kivisdb/kivis/internal/msgpack"
)

// appendTime appends a time as msgpack has it, which is a second within its years.
func appendTime(dst []byte, t time.Time) ([]byte, error) {
	if s := t.Unix(); s < msgpack.MinSecond || s > msgpack.MaxSecond {
		return dst, fmt.Errorf("the time %v is outside of the years 1 to 9999", t)
	}
	return msgpack.AppendTime(dst, t), nil
}

package codec

import (
	"reflect"
	"sync"

	vmsgpack "github.com/vmihailenco/msgpack/v5"
)

// identifier is what ids have: they are numbers, whose texts are for people.
var identifier = reflect.TypeFor[interface{ RecordType() reflect.Type }]()

// ids has the types of ids that the library knows to be numbers.
var ids sync.Map // reflect.Type -> bool

// registerID tells the library that a t is a number, if it is an id: it would
// take the text. The library asks once for each type, so it is to be told before.
func registerID(t reflect.Type) {
	if t.Kind() != reflect.Uint64 || !t.Implements(identifier) {
		return
	}
	if _, known := ids.Load(t); !known {
		vmsgpack.Register(reflect.Zero(t).Interface(), encodeID, decodeID)
		ids.Store(t, true)
	}
}

func encodeID(e *vmsgpack.Encoder, v reflect.Value) error { return e.EncodeUint64(v.Uint()) }

func decodeID(d *vmsgpack.Decoder, v reflect.Value) error {
	n, err := d.DecodeUint64()
	if err == nil {
		v.SetUint(n)
	}
	return err
}

package otel_test

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
)

// encoder writes attributes as text.
type encoder struct{}

var encoderID = attribute.NewEncoderID()

func (encoder) ID() attribute.EncoderID { return encoderID }

func (encoder) Encode(list attribute.Iterator) string {
	var parts []string
	for list.Next() {
		kv := list.Attribute()
		parts = append(parts, fmt.Sprint(kv.Key, "=", kv.Value.String()))
	}
	return strings.Join(parts, " ")
}

package files

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go/format"

	"github.com/kivisdb/kivis/codec"
)

// maxScale bounds the places behind the point of a decimal number, which a file can
// have by the billion.
const maxScale = 1000

// appendDecimal appends a decimal number, given without its point, as the JSON that a
// column of the type takes. One that the type would round is refused.
func appendDecimal(dst []byte, unscaled *big.Int, d *format.DecimalType, t *codec.Type) ([]byte, error) {
	if d.Scale < 0 || d.Scale > maxScale {
		return dst, fmt.Errorf("decimal numbers with %d places are not read", d.Scale)
	}
	text := decimalText(unscaled, int(d.Scale))
	switch t.Kind {
	case codec.String, codec.Text:
		return append(append(append(dst, '"'), text...), '"'), nil
	case codec.Bytes, codec.ByteArray, codec.Bool, codec.Time:
		return dst, fmt.Errorf("the decimal number %s does not fit", text)
	case codec.Float, codec.Any:
		bits := 64
		if t.Kind == codec.Float {
			bits = int(t.Bits)
		}
		if f, err := strconv.ParseFloat(text, bits); err != nil || strconv.FormatFloat(f, 'f', -1, bits) != whole(text) {
			return dst, fmt.Errorf("the decimal number %s would be rounded by a float of %d bits; a field of text holds it", text, bits)
		}
	}
	return append(dst, whole(text)...), nil
}

// decimalText returns the number with its point and all its places.
func decimalText(unscaled *big.Int, scale int) string {
	digits := new(big.Int).Abs(unscaled).String()
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// whole returns the number without the zeros at its end that say nothing.
func whole(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// twosComplement returns the integer that big-endian bytes are.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}

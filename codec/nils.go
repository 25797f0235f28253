package codec

// A NilFinder finds what is nil in bodies of one layout and cannot be in another,
// where a pointer has become a value. It belongs to one goroutine.
type NilFinder struct {
	converter *Converter
	found     []string
	buf       []byte
}

// CompileNilFinder returns the finder for bodies of the layout stored. Fields that
// cannot be read as those of current are passed by.
func CompileNilFinder(stored, current *Layout) (*NilFinder, error) {
	f := &NilFinder{}
	readable := &Layout{Structs: current.Structs}
	for _, field := range current.Fields {
		if _, err := CompileConverter(stored, &Layout{Fields: []Field{field}, Structs: current.Structs}); err == nil {
			readable.Fields = append(readable.Fields, field)
		}
	}
	var err error
	f.converter, err = compileConverter(stored, readable, func(path string) { f.found = append(f.found, path) })
	return f, err
}

// Find returns the paths, of the names that current has, at which the body holds
// a nil, one for each nil. The result is good until the next call.
func (f *NilFinder) Find(body []byte) (paths []string, err error) {
	f.found = f.found[:0]
	f.buf, err = f.converter.Convert(f.buf[:0], body)
	return f.found, err
}

package convo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// decodeStrictly decodes an object into v, a pointer to a struct, and refuses what encoding/json
// lets pass: fields that are unknown, that come twice, or whose name is written in another case. A
// typing error would else leave a rule out, or a second field would quietly win over the first.
func decodeStrictly(data []byte, v any) error {
	if err := checkNames(data, reflect.TypeOf(v), nil); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// checkNames walks through JSON beside the type that it is for. It also looks at durations, of
// which the decoder would say neither the field nor what is wanted. What is malformed is left to
// the decoder, which says it better. With unknown, which is told of them, names may be unknown, or
// come twice.
func checkNames(data []byte, t reflect.Type, unknown func(path string)) error {
	w := walk{json.NewDecoder(bytes.NewReader(data)), unknown}
	var refused *nameError
	if err := w.names(t, ""); errors.As(err, &refused) {
		return refused
	}
	return nil
}

// nameError is a name in an object that must not be there, or whose value must be another one.
type nameError struct{ path, rule string }

func (e *nameError) Error() string { return fmt.Sprintf("field %q %s", e.path, e.rule) }

// walk goes through JSON.
type walk struct {
	*json.Decoder
	unknown func(path string)
}

// names reads one value. t is the type that it is for. What is raw is the host's own, so nothing in
// it is looked at.
func (w *walk) names(t reflect.Type, path string) error {
	if t == reflect.TypeFor[json.RawMessage]() {
		var skipped json.RawMessage
		return w.Decode(&skipped)
	}
	if t == reflect.TypeFor[Duration]() {
		var text json.RawMessage
		err := w.Decode(&text)
		if err == nil && json.Unmarshal(text, new(Duration)) != nil {
			err = &nameError{path, fmt.Sprintf("%s, not %s", durationRule, text)}
		}
		return err
	}
	token, err := w.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	t, names := namesOf(t)
	seen := map[string]bool{}
	for i := 0; w.More(); i++ {
		var at string
		element := t
		if open == '[' {
			at = fmt.Sprintf("%s[%d]", path, i)
		} else {
			key, err := w.Token()
			if err != nil {
				return err
			}
			name, _ := key.(string)
			at = strings.TrimPrefix(path+"."+name, ".")
			if seen[name] && w.unknown == nil {
				return &nameError{at, "comes twice"}
			}
			seen[name] = true
			if names != nil {
				element, ok = names[name]
				switch {
				case ok:
				case w.unknown == nil:
					return &nameError{at, "is not known"}
				default:
					w.unknown(at)
					element = reflect.TypeFor[json.RawMessage]()
				}
			}
		}
		if err := w.names(element, at); err != nil {
			return err
		}
	}
	if _, err := w.Token(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// namesOf are the fields of a struct by their names in JSON; for a list or map, element is the type
// of what is in it.
func namesOf(t reflect.Type) (element reflect.Type, names map[string]reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == nil:
		return nil, nil
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map:
		return t.Elem(), nil
	case t.Kind() != reflect.Struct:
		return nil, nil
	}
	names = map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names[name] = f.Type
		}
	}
	return nil, names
}

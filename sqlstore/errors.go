package sqlstore

import (
	"errors"
	"reflect"
	"strconv"
)

// codeOf is what the database engine calls an error, or "" when it did not come from there. The
// drivers are not imported; those of PostgreSQL have a method SQLState, those of SQLite a method or
// field (Extended)Code, dqlite's a field Code, and MySQL's a field Number.
func codeOf(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		switch e := err.(type) { //nolint:errorlint // the loop unwraps
		case interface{ SQLState() string }:
			return e.SQLState()
		case interface{ Code() int }:
			return strconv.Itoa(e.Code())
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				if c := codeOf(err); c != "" {
					return c
				}
			}
			return ""
		}
		if c := codeField(err); c != "" {
			return c
		}
	}
	return ""
}

func codeField(err error) string {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return ""
	}
	for _, name := range [...]string{"Number", "ExtendedCode", "Code"} {
		switch f := v.FieldByName(name); {
		case !f.IsValid():
		case f.CanUint():
			return strconv.FormatUint(f.Uint(), 10)
		case f.CanInt():
			return strconv.FormatInt(f.Int(), 10)
		}
	}
	return ""
}

// conflict reports whether err says that a race was lost.
func (d *engine) conflict(err error) bool { return d.Conflict(codeOf(err)) }

// settled reports whether err is the engine's own word that a statement was not carried out.
func (d *engine) settled(err error) bool { return d.Settled(codeOf(err)) }

package convo

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// ReadPolicy reads a policy that was checked when it was saved, perhaps by a later version of this
// library. What that version knows and this one does not is left out, never an error, so that the
// processes of both work side by side:
//
//   - a field that is unknown is not looked at;
//   - a rule with a value that is not valid here, such as a mode that is unknown, is left at its
//     default as a whole;
//   - what acts by itself, a deadline or auto_close, is left out if anything of it, or of its
//     calendar, is unknown, for it might do more than was meant.
//
// ignored names what was left out, as "receive" or `deadlines["nudge"]`: log it, and never save
// such a policy again, for what was left out would be lost. Once no older version runs, call
// [Engine.Rearm] for the timers that it left out. What is no policy at all is a *ValidationError.
//
// To check what somebody has written, decode it with [json.Unmarshal], which refuses what is
// unknown, and call [Policy.Validate].
func ReadPolicy(data []byte) (p Policy, ignored []string, err error) {
	type plain Policy
	if err := json.Unmarshal(data, (*plain)(&p)); err != nil {
		return Policy{}, nil, invalid("policy", err.Error())
	}
	acting := map[int]bool{} // deadlines of which something is unknown
	err = checkNames(data, reflect.TypeFor[Policy](), func(path string) {
		rule, rest, _ := strings.Cut(path, ".")
		if i, ok := indexIn(rule, "deadlines"); ok {
			acting[i] = true
			return
		}
		if rule == "auto_close" && rest != "" {
			p.AutoClose, path = AutoClose{}, rule
		}
		for name := range p.Calendars {
			if strings.HasPrefix(path, "calendars."+name+".") {
				path, _ = p.withoutRule(fmt.Sprintf("calendars[%q]", name))
			}
		}
		ignored = append(ignored, path)
	})
	if err != nil {
		return Policy{}, nil, invalid("policy", err.Error())
	}
	for i := len(p.Deadlines) - 1; i >= 0; i-- {
		if acting[i] {
			ignored = append(ignored, p.withoutDeadline(i))
		}
	}
	for {
		var v *ValidationError
		if err := p.Validate(); !errors.As(err, &v) {
			break
		}
		left, ok := p.withoutRule(v.Field)
		if !ok {
			return Policy{}, nil, v
		}
		ignored = append(ignored, left)
	}
	slices.Sort(ignored)
	return p, slices.Compact(ignored), nil
}

// withoutRule leaves out the rule that a field is of, and names it; false: there is none.
func (p *Policy) withoutRule(field string) (left string, ok bool) {
	rule, _, _ := strings.Cut(field, ".")
	if i, ok := indexIn(rule, "deadlines"); ok && i < len(p.Deadlines) {
		return p.withoutDeadline(i), true
	}
	if name, err := strconv.Unquote(bracketed(field, "calendars")); err == nil {
		delete(p.Calendars, name) // and then the deadlines that name it
		return fmt.Sprintf("calendars[%q]", name), true
	}
	rule, _, _ = strings.Cut(rule, "[")
	v := reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == rule && !v.Field(i).IsZero() {
			v.Field(i).SetZero()
			return rule, true
		}
	}
	return "", false
}

func (p *Policy) withoutDeadline(i int) (left string) {
	left = fmt.Sprintf("deadlines[%q]", p.Deadlines[i].Name)
	p.Deadlines = slices.Delete(p.Deadlines, i, i+1)
	return left
}

// indexIn is 3 of "deadlines[3]".
func indexIn(text, list string) (int, bool) {
	i, err := strconv.Atoi(bracketed(text, list))
	return i, err == nil
}

// bracketed is "3" of "deadlines[3]".
func bracketed(text, list string) string {
	rest, ok := strings.CutPrefix(text, list+"[")
	at := strings.LastIndexByte(rest, ']')
	if !ok || at < 0 {
		return ""
	}
	return rest[:at]
}

package workflow

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// Data is what templates see.
type Data struct {
	Contact      ContactData
	Conversation ConversationData
}

// ContactData is the contact that a step runs for.
type ContactData struct {
	ID   string
	Name string // of the profile, or of the Execution
	// Returning says that it had been here before the running cycle, or the one that is about to
	// begin: see convo.Contact.Returning.
	Returning  bool
	Attributes map[string]string // of the profile, and of the Execution
}

// ConversationData is the contact's latest conversation as it is before the step; all is empty when
// there is none.
type ConversationData struct {
	ID       string
	Channel  string
	Status   string
	Source   string // through what it was opened, or reopened last
	Assignee string
	Team     string
	Category string // of the last closing
	Summary  string // of the last closing
}

// sample is what templates are tried on. Nothing in it is empty, so that nothing that is required
// is found missing.
var sample = Data{
	ContactData{ID: "contact-1", Name: "Riya", Returning: true},
	ConversationData{
		ID:       "019cadcc-5180-7000-8000-000000000000",
		Channel:  "whatsapp",
		Status:   "closed",
		Source:   "incoming_message",
		Assignee: "ana",
		Team:     "support",
		Category: "Sales",
		Summary:  "Customer inquired about bulk pricing.",
	},
}

// text is v as a template prints it.
func text(v any) string {
	s, ok := v.(string)
	if !ok {
		s = fmt.Sprint(v)
	}
	return s
}

// functions take any value, so that none can fail at run time for what a value is.
var functions = template.FuncMap{
	"default": func(byDefault, v any) any {
		if text(v) == "" {
			return byDefault
		}
		return v
	},
	"upper": func(v any) string { return strings.ToUpper(text(v)) },
	"lower": func(v any) string { return strings.ToLower(text(v)) },
	"trim":  func(v any) string { return strings.TrimSpace(text(v)) },
	"eq": func(a, b any, more ...any) bool {
		return text(a) == text(b) ||
			slices.ContainsFunc(more, func(c any) bool { return text(a) == text(c) })
	},
	"ne": func(a, b any) bool { return text(a) != text(b) },
}

// MaxTemplate is the longest template, in bytes.
const MaxTemplate = 8 << 10

// maxNesting is how deep parentheses go: what is in them is tried with and without what is around
// them.
const maxNesting = 10

// compiled is a template that was found good, and how much it writes at most.
type compiled struct {
	t     *template.Template
	limit int
	// pipes are what is to be computed, and attributes those of the contact that they name.
	pipes      []*parse.PipeNode
	attributes []string
}

// compile reads a template and tries every part of it.
func compile(source string, limit int) (*compiled, error) {
	if len(source) > MaxTemplate {
		return nil, fmt.Errorf("must be at most %d bytes, not %d", MaxTemplate, len(source))
	}
	if !utf8.ValidString(source) || strings.Contains(source, "\x00") {
		return nil, errors.New("must be valid UTF-8 without NUL")
	}
	t, err := empty().Parse(source)
	if err != nil {
		return nil, fmt.Errorf("is no template: %s", strings.TrimPrefix(err.Error(), "template: "))
	}
	if len(t.Templates()) > 1 {
		return nil, errors.New("must not define other templates")
	}
	c := &compiled{t: t, limit: limit}
	if t.Tree == nil { // nothing but comments
		return c, nil
	}
	if err := c.check(t.Root); err != nil {
		return nil, err
	}
	for _, p := range c.pipes {
		if err := try(p); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func empty() *template.Template {
	return template.New("template").Option("missingkey=zero").Funcs(functions)
}

func (c *compiled) constant() bool { return len(c.pipes) == 0 }

// check refuses what is not in the language, and collects what is to be computed, also where a
// condition hides it.
func (c *compiled) check(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, part := range n.Nodes {
			if err := c.check(part); err != nil {
				return err
			}
		}
		return nil
	case *parse.TextNode, *parse.CommentNode:
		return nil
	case *parse.ActionNode:
		return c.checkPipe(n.Pipe, 0)
	case *parse.IfNode:
		return cmp.Or(c.checkPipe(n.Pipe, 0), c.check(n.List), c.check(n.ElseList))
	}
	return fmt.Errorf("must not hold %q: there are only {{values}} and {{if}}", brief(n))
}

func (c *compiled) checkPipe(p *parse.PipeNode, depth int) error {
	switch {
	case len(p.Decl) > 0:
		return fmt.Errorf("must not hold %q: there are no variables", brief(p))
	case depth > maxNesting:
		return fmt.Errorf("must not nest parentheses deeper than %d", maxNesting)
	}
	c.pipes = append(c.pipes, p)
	for _, cmd := range p.Cmds {
		for i, arg := range cmd.Args {
			if err := c.checkArg(arg, i == 0, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// names are those of the functions, and of those of text/template that cannot fail.
var names = append(slices.Sorted(maps.Keys(functions)), "and", "not", "or")

func (c *compiled) checkArg(n parse.Node, first bool, depth int) error {
	switch n := n.(type) {
	case *parse.PipeNode:
		return c.checkPipe(n, depth+1)
	case *parse.FieldNode:
		return c.checkField(n)
	case *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		return nil
	case *parse.IdentifierNode:
		if !slices.Contains(names, n.Ident) {
			return fmt.Errorf("must not call %q: there are %s", n.Ident, strings.Join(names, ", "))
		}
		// No function goes without arguments, but a condition may keep text/template from finding
		// out.
		if !first {
			return fmt.Errorf("must have parentheses around %q and what it is called with", n.Ident)
		}
		return nil
	}
	return fmt.Errorf(
		"must not hold %q: there are only fields, texts, numbers and functions",
		brief(n),
	)
}

// checkField refuses a field that Data does not have, and one that is no single value.
func (c *compiled) checkField(n *parse.FieldNode) error {
	at := reflect.TypeFor[Data]()
	for _, name := range n.Ident {
		switch at.Kind() {
		case reflect.Struct:
			f, ok := at.FieldByName(name)
			if !ok {
				return fmt.Errorf("must not hold %q: there is no %s", brief(n), name)
			}
			at = f.Type
		case reflect.Map:
			at = at.Elem()
			c.attributes = append(c.attributes, name)
		default:
			return fmt.Errorf("must not hold %q: there is nothing in it called %s", brief(n), name)
		}
	}
	if k := at.Kind(); k == reflect.Struct || k == reflect.Map {
		return fmt.Errorf("must not hold %q: name one of its fields", brief(n))
	}
	return nil
}

// brief is n as it was written, but not all of a long one.
func brief(n parse.Node) string {
	s := n.String()
	return s[:boundary(s, 40)]
}

// try computes p by itself: with functions that take any value, what works once works always.
func try(p *parse.PipeNode) error {
	t, err := empty().AddParseTree("template", &parse.Tree{
		Name: "template",
		Root: &parse.ListNode{
			NodeType: parse.NodeList,
			Nodes:    []parse.Node{&parse.ActionNode{NodeType: parse.NodeAction, Pipe: p}},
		},
	})
	if err == nil {
		err = t.Execute(io.Discard, sample)
	}
	if err != nil {
		return fmt.Errorf("must be something that can be computed: %w", err)
	}
	return nil
}

// errFull ends a template that writes more than its field holds.
var errFull = errors.New("full")

// bounded keeps the first limit bytes.
type bounded struct {
	strings.Builder
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.limit - b.Len(); len(p) > room {
		_, _ = b.Builder.Write(p[:room])
		return room, errFull
	}
	return b.Builder.Write(p)
}

// boundary is the greatest length up to n that cuts no character of s in two.
func boundary(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// render writes the template. What no text may hold, a value of the host's does not bring in.
func (c *compiled) render(d *Data) (string, error) {
	if c == nil || c.t.Tree == nil {
		return "", nil
	}
	b := bounded{limit: c.limit + utf8.UTFMax}
	if err := c.t.Execute(&b, d); err != nil && !errors.Is(err, errFull) {
		return "", err
	}
	s := strings.ReplaceAll(b.String(), "\x00", "")
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	return s[:boundary(s, c.limit)], nil
}

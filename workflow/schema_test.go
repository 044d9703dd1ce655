package workflow

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
)

// definition is as much of JSON Schema as schema.json uses.
type definition struct {
	Required   []string              `json:"required"`
	Additional *bool                 `json:"additionalProperties"`
	Type       string                `json:"type"`
	Properties map[string]definition `json:"properties"`
	Const      string                `json:"const"`
	Enum       []string              `json:"enum"`
	MinLength  int                   `json:"minLength"`
	MaxLength  int                   `json:"maxLength"`
	Items      *definition           `json:"items"`
	Examples   []any                 `json:"examples"`
}

func definitions(t *testing.T) map[string]definition {
	var s struct {
		OneOf []struct {
			Ref string `json:"$ref"`
		} `json:"oneOf"`
		Defs map[string]definition `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(schema, &s))
	var refs []string
	for _, r := range s.OneOf {
		refs = append(refs, strings.TrimPrefix(r.Ref, "#/$defs/"))
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(s.Defs)), refs)
	return s.Defs
}

// fields are those of a struct by their JSON names, with their types.
func fields[T any]() map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for f := range reflect.TypeFor[T]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		all[name] = f.Type
	}
	return all
}

func TestTheSchemaSaysWhatTheTypesSay(t *testing.T) {
	defs := definitions(t)
	config, trigger := fields[Config](), fields[Trigger]()
	require.Equal(t, []string{"close_conversation", "open_conversation", "trigger"},
		slices.Sorted(maps.Keys(defs)))

	seen := map[string]bool{}
	for name, def := range defs {
		types := config
		discriminator := "step"
		if name == "trigger" {
			types, discriminator = trigger, "on"
		}
		require.Equal(t, "object", def.Type, name)
		require.Equal(t, []string{discriminator}, def.Required, name)
		require.NotNil(t, def.Additional, name)
		require.False(t, *def.Additional, name)
		for field, p := range def.Properties {
			typ, ok := types[field]
			require.True(t, ok, "%s.%s", name, field)
			seen[discriminator+"."+field] = true
			switch {
			case field == discriminator:
				require.True(t, typ.Kind() == reflect.String ||
					typ == reflect.TypeFor[convo.EventKind]())
			case typ.Kind() == reflect.Slice:
				require.Equal(t, "array", p.Type, field)
				require.Equal(t, definition{Type: "string", MinLength: 1, MaxLength: convo.MaxID},
					*p.Items, field)
			case field == "channel":
				require.Equal(t, convo.MaxID, p.MaxLength)
				require.Equal(t, "string", p.Type)
			default:
				require.Equal(t, MaxTemplate, p.MaxLength, field)
				require.Equal(t, "string", p.Type, field)
			}
		}
	}
	require.Len(t, seen, len(config)+len(trigger), "every field of the types is in the schema")
	require.Equal(t, string(OpenConversation), defs["open_conversation"].Properties["step"].Const)
	require.Equal(t, string(CloseConversation), defs["close_conversation"].Properties["step"].Const)
	require.ElementsMatch(t, []string{convo.ConversationOpened.String(),
		convo.ConversationClosed.String(), convo.DeadlinePassed.String()},
		defs["trigger"].Properties["on"].Enum)
}

func TestTheSchemasStepsHaveTheFieldsThatNewTakes(t *testing.T) {
	for name, def := range definitions(t) {
		if name == "trigger" {
			continue
		}
		for field := range fields[Config]() {
			config := map[string]string{"step": name}
			if field != "step" {
				config[field] = "x"
			}
			data, err := json.Marshal(config)
			require.NoError(t, err)
			_, err = Parse(data, nil)
			_, in := def.Properties[field]
			require.Equal(t, in, err == nil, "%s: %v", data, err)
		}
	}
}

func TestTheSchemasExamplesAreGood(t *testing.T) {
	policy := convo.WorkflowPolicy()
	n := 0
	for name, def := range definitions(t) {
		for field, p := range def.Properties {
			for _, example := range p.Examples {
				n++
				config := map[string]any{field: example}
				var err error
				switch {
				case field == "deadlines":
					config["on"] = convo.DeadlinePassed
				case name == "trigger":
					config["on"] = convo.ConversationClosed
				default:
					config["step"] = name
				}
				data, jsonErr := json.Marshal(config)
				require.NoError(t, jsonErr)
				if name == "trigger" {
					_, err = ParseTrigger(data)
				} else {
					_, err = Parse(data, &policy)
				}
				require.NoError(t, err, "%s", data)
			}
		}
	}
	require.Equal(t, 7, n)
}

// Package workflow is the Open Conversation and Close Conversation steps of a workflow builder,
// configured by JSON, and the triggers that start a workflow when a conversation is opened or
// closed, or when a deadline of it has passed.
//
//	step, err := workflow.Parse([]byte(`{
//		"step": "close_conversation",
//		"category": "Support",
//		"summary": "{{.Contact.Name}}: issue fixed, product replaced."
//	}`), &policy) // when it is saved: all that can be wrong is said here
//	result, err := step.Run(ctx, engine, riya, workflow.Execution{
//		Workflow: "returns", Key: executionID, Name: "Riya",
//	})
//
// # Templates
//
// Greeting, category and summary are templates of text/template, of which there are texts,
// {{values}} and {{if}} … {{else if}} … {{else}} … {{end}}. Loops, variables and templates that
// call others are refused, so a template ends, after as many steps as it is long. The values are
// the fields of [Data], with the contact's profile as the store has it:
//
//	{{.Contact.ID}} {{.Contact.Name}} {{.Contact.Returning}} {{.Contact.Attributes.city}}
//	{{.Conversation.ID}} {{.Conversation.Channel}} {{.Conversation.Status}}
//	{{.Conversation.Source}} {{.Conversation.Assignee}} {{.Conversation.Team}}
//	{{.Conversation.Category}} {{.Conversation.Summary}}
//
// and the functions are
//
//	default "there" .Contact.Name   the last one, or the first one if that is empty
//	upper lower trim                of a text
//	eq ne                           whether texts are the same; eq compares the first with several
//	and or not                      as text/template has them
//
// None of them fails whatever the values are, and an attribute that a contact does not have is
// empty. So what was saved runs. What it writes is cut to what the field holds ([MaxGreeting],
// [MaxCategory], [MaxSummary]), between two characters.
//
// # The format
//
// [Schema] is the JSON Schema of steps and triggers, for editors and for other languages. What it
// cannot say, such as what a template may hold, [Parse] and [ParseTrigger] check on top.
package workflow

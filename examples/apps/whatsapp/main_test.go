package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/chatlifecycle/convo"
	"github.com/chatlifecycle/convo/memstore"
	"github.com/chatlifecycle/convo/sqlstore/sqltest/testdb"
)

func Example() {
	if err := demo(context.Background(), os.Stdout, memstore.New()); err != nil {
		panic(err)
	}
	// Output:
	// Requests
	//   Meta sets the webhook up            200  1158201444
	//   three messages of two contacts      200  {"opened":2,"recorded":1}
	//   the same, delivered again           200  {"duplicate":3}
	//   what became of messages sent        200  {"unknown receipt":2}
	//   a forged delivery                   401  the signature is not that of the body by the app's secret
	//   the Close step                      200  {"closed":1}
	//   the same execution again            200  {"duplicate":1}
	//   the Open step: an order is ready    200  {"recorded":1}
	//   an edit, and another number         200  {"edited":1,"linked":1,"recorded":1,"set aside":1}
	//   the customer's answer, and a heart  200  {"recorded":1}
	//   the first messages once more        200  {"duplicate":3}
	//   the Close step for a stranger       404  nobody is known by this number or user id
	//   the Close step                      200  {"closed":1}
	//
	// Riya, +919876543210
	//   Riya    address_linked         whatsapp +919876543210
	//   Riya    conversation_opened    through incoming_message
	//   Riya    message_received       One of my kettles leaks.
	//   Riya    message_received       Here.
	//   orders  conversation_closed    Support: Riya: Issue resolved, replaced defective item.
	//   orders  conversation_reopened  through automation
	//   orders  message_sent           Hi Riya, we noticed your last order is ready for delivery. Would you like to track it now?
	//   Riya    address_linked         whatsapp IN.13491208655302741918
	//   Riya    message_edited         Two of my kettles leak.
	//   Riya    address_linked         whatsapp +919876500000
	//   Riya    address_linked         whatsapp IN.20718436519020175533
	//   Riya    message_received       This is my new number.
	//   Riya    message_received       Yes, track it
	//   orders  conversation_closed    Sales: Riya: order delivered.
	//
	// Susan, +4915550102030
	//   Susan  address_linked       whatsapp +4915550102030
	//   Susan  conversation_opened  through incoming_message
	//   Susan  message_received     What do ten kettles cost?
}

func TestADemoThatIsPlayedAgainChangesNothing(t *testing.T) {
	testdb.EachServer(t, func(t *testing.T, e testdb.Engine) {
		db := testdb.Create(t, e).DSN
		if e == testdb.SQLite {
			db = filepath.Join(t.TempDir(), "whatsapp.sqlite")
		}
		var outputs [3]strings.Builder
		for i := range outputs {
			require.NoError(t, demoOn(t.Context(), &outputs[i], db))
		}
		_, first, _ := strings.Cut(outputs[0].String(), "\n\n")
		_, second, _ := strings.Cut(outputs[1].String(), "\n\n")
		require.Equal(t, first, second)
		require.Equal(t, outputs[1].String(), outputs[2].String())
		require.NotContains(t, outputs[1].String(), `"opened"`)
		require.NotContains(t, outputs[1].String(), `"recorded"`)
	})
}

const (
	riya  = "+919876543210"
	susan = "+4915550102030"
)

// site is a host in memory, and what it logs.
type site struct {
	*host
	t   *testing.T
	log bytes.Buffer
}

func newSite(t *testing.T, store convo.Store) *site {
	t.Helper()
	s := &site{t: t}
	var err error
	s.host, err = newHost(store, demoSettings, slog.New(slog.NewTextHandler(&s.log, nil)))
	require.NoError(t, err)
	return s
}

func (s *site) send(method, path string, body []byte,
	header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, bytes.NewReader(body))
	r.Header = header
	w := httptest.NewRecorder()
	s.handler().ServeHTTP(w, r)
	return w
}

// post delivers a body with the right signature.
func (s *site) post(body []byte) *httptest.ResponseRecorder {
	return s.send("POST", "/webhook", body,
		http.Header{"X-Hub-Signature-256": {signature(demoSettings.appSecret, body)}})
}

func (s *site) step(path, body string) *httptest.ResponseRecorder {
	return s.send("POST", path, []byte(body), http.Header{"Authorization": {"Bearer demo-steps"}})
}

// events are all that was written, by contact.
func (s *site) events() map[string][]convo.Event {
	s.t.Helper()
	all := map[string][]convo.Event{}
	for _, phone := range []string{riya, susan} {
		events, err := s.engine.History(s.t.Context(), s.to(phone), convo.EventCursor{}, 0)
		if !errors.Is(err, convo.ErrNotFound) {
			require.NoError(s.t, err)
			all[phone] = events
		}
	}
	return all
}

// unwritten holds that f writes nothing, for whomever.
func (s *site) unwritten(f func()) {
	s.t.Helper()
	count := func() int {
		cs, err := s.engine.Conversations(s.t.Context(), convo.Filter{Workspace: s.workspace})
		require.NoError(s.t, err)
		return len(cs)
	}
	events, conversations := s.events(), count()
	f()
	require.Equal(s.t, events, s.events())
	require.Equal(s.t, conversations, count())
}

// asides are what was set aside, as it is shown.
func (s *site) asides() (list []setAside) {
	s.t.Helper()
	w := s.send("GET", "/set-aside", nil, http.Header{"Authorization": {"Bearer demo-steps"}})
	require.Equal(s.t, 200, w.Code)
	require.Equal(s.t, "no-store", w.Header().Get("Cache-Control"))
	require.NoError(s.t, json.Unmarshal(w.Body.Bytes(), &list))
	return list
}

func file(t *testing.T, name string) []byte {
	t.Helper()
	body, err := deliveries.ReadFile("deliveries/" + name + ".json")
	require.NoError(t, err)
	return body
}

// of is a delivery with these messages, and with the parts around them replaced as told.
func of(messages string, replace ...string) []byte {
	text := `{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages","value":{
		"messaging_product":"whatsapp","metadata":{"phone_number_id":"106540352242922"},"messages":` + messages + `}}]}]}`
	return []byte(strings.NewReplacer(replace...).Replace(text))
}

func TestTheHandshakeNeedsTheVerifyToken(t *testing.T) {
	s := newSite(t, memstore.New())
	for query, status := range map[string]int{
		"hub.mode=subscribe&hub.verify_token=demo-verify&hub.challenge=42":   200,
		"hub.mode=unsubscribe&hub.verify_token=demo-verify&hub.challenge=42": 403,
		"hub.mode=subscribe&hub.verify_token=demo-verif&hub.challenge=42":    403,
		"hub.mode=subscribe&hub.verify_token=demo-verify2&hub.challenge=42":  403,
		"hub.mode=subscribe&hub.verify_token=&hub.challenge=42":              403,
		"hub.mode=subscribe&hub.challenge=42":                                403,
		"":                                                                   403,
	} {
		w := s.send("GET", "/webhook?"+query, nil, nil)
		require.Equal(t, status, w.Code, query)
		require.Equal(t, status == 200, w.Body.String() == "42", query)
		require.Contains(t, w.Header().Get("Content-Type"), "text/plain")
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	}
}

func TestADeliveryWithoutItsSignatureWritesNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	body := file(t, "several")
	right := signature(demoSettings.appSecret, body)
	s.unwritten(func() {
		for name, header := range map[string]string{
			"none": "", "empty": "sha256=", "no hexadecimal": "sha256=zz",
			"another secret": signature("guessed", body),
			"no secret":      signature("", body),
			"of another body": signature(demoSettings.appSecret,
				append(body, ' ')),
			"without its prefix": strings.TrimPrefix(right,
				"sha256="), "of another kind": strings.Replace(right, "sha256", "sha1", 1),
			"cut": right[:len(right)-2], "longer": right + "00",
		} {
			require.Equal(t, 401, s.send("POST", "/webhook", body,
				http.Header{"X-Hub-Signature-256": {header}}).Code, name)
		}
	})
	require.Equal(t, 200, s.post(body).Code)
	require.Len(t, s.events(), 2)
}

func TestAMalformedDeliveryWritesNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	s.unwritten(func() {
		for name, body := range map[string][]byte{
			"nothing": nil, "no JSON": []byte(`{`), "a list": []byte(`[]`), "null": []byte(`null`),
			"an empty object":     []byte(`{}`),
			"something behind it": append(of("[]"), '1'),
			"very deep":           []byte(strings.Repeat("[", 100_000)),
			"another object":      of("["+hi+"]", "whatsapp_business_account", "page"),
			"no list of entries":  []byte(`{"object":"whatsapp_business_account","entry":7}`),
		} {
			require.Equal(t, 400, s.post(body).Code, name)
		}
	})
	require.Empty(t, s.asides())
	require.Equal(t, 200, s.post(of("["+hi+"]")).Code)
}

// hi is a good message.
const hi = `{"from":"919876543210","id":"wamid.1","timestamp":"1741600800","type":"text","text":{"body":"Hi"}}`

// What is wrong with a part of a delivery is set aside, once however often it comes.
func TestAMalformedMessageIsSetAsideAndWritesNothing(t *testing.T) {
	in := func(old, text string) string { return strings.Replace(hi, old, text, 1) }
	long := strings.Repeat("x", 65<<10)
	for name, body := range map[string][]byte{
		"another product": of("["+hi+"]", `"messaging_product":"whatsapp"`,
			`"messaging_product":"instagram"`),
		"no list of messages": of(hi),
		"a value that is no object": of("["+hi+"]", `"value":{`, `"value":[{`, "}}]}]}",
			"}]}]}]}"),
		"an entry that is no object": []byte(`{"object":"whatsapp_business_account","entry":[7]}`),
		"a change that is no object": []byte(
			`{"object":"whatsapp_business_account","entry":[{"changes":["x"]}]}`),
		"a message that is no object": of(`["Hi"]`),
		"no id":                       of("[" + in(`"id":"wamid.1",`, "") + "]"),
		"an id that is no text":       of("[" + in(`"wamid.1"`, "7") + "]"),
		"a long id":                   of("[" + in("wamid.1", strings.Repeat("x", 999)) + "]"),
		"a broken id":                 of("[" + in("wamid.1", `a\nb`) + "]"),
		"no sender":                   of("[" + in(`"from":"919876543210",`, "") + "]"),
		"no number":                   of("[" + in("919876543210", "riya") + "]"),
		"a long number":               of("[" + in("919876543210", "9198765432101234") + "]"),
		"a user id that is none": of("[" + in(`"from":"919876543210"`,
			`"from_user_id":"IN.1 2"`) + "]"),
		"a long user id": of("[" + in(`"from":"919876543210"`,
			`"from_user_id":"`+strings.Repeat("x", 300)+`"`) + "]"),
		"no type":           of("[" + in(`"type":"text",`, "") + "]"),
		"a type that is 7":  of("[" + in(`"type":"text"`, `"type":7`) + "]"),
		"no text":           of("[" + in(`,"text":{"body":"Hi"}`, "") + "]"),
		"an empty text":     of("[" + in(`"Hi"`, `""`) + "]"),
		"text that is none": of("[" + in(`"Hi"`, `7`) + "]"),
		"NUL":               of("[" + in(`"Hi"`, `"\u0000"`) + "]"),
		"a long text":       of("[" + in(`"Hi"`, `"`+long+`"`) + "]"),
		"an edit of nothing": of(
			`[{"from":"919876543210","id":"wamid.2","type":"edit","edit":{}}]`),
		"an edit to nothing": of(`[{"from":"919876543210","id":"wamid.2","type":"edit",
			"edit":{"original_message_id":"wamid.1"}}]`),
		"a revoke of nothing": of(`[{"from":"919876543210","id":"wamid.2","type":"revoke"}]`),
		"an edit of a stranger": of(`[{"from":"919876543210","id":"wamid.2","type":"edit","edit":{
			"original_message_id":"wamid.1","message":{"type":"text","text":{"body":"x"}}}}]`),
		"a revoke of a stranger": of(`[{"from":"919876543210","id":"wamid.2","type":"revoke",
			"revoke":{"original_message_id":"wamid.1"}}]`),
		"a change to no number": of(`[{"from":"919876543210","id":"wamid.2","type":"system",
			"system":{"type":"user_changed_number"}}]`),
		"a system that is none": of(
			`[{"from":"919876543210","id":"wamid.2","type":"system","system":7}]`),
		"a status of nobody": of(`[],"statuses":[{"id":"wamid.2","status":"read"}]`),
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, memstore.New())
			s.unwritten(func() {
				for range 24 {
					w := s.post(body)
					require.Equal(t, 200, w.Code)
					require.JSONEq(t, `{"set aside":1}`, w.Body.String())
				}
			})
			list := s.asides()
			require.Len(t, list, 1)
			require.Equal(t, 24, list[0].Times)
			require.NotEmpty(t, list[0].Reason)
			require.Equal(t, list[0].Bytes <= maxAsideBytes, list[0].Message != nil)
			require.LessOrEqual(t, len(list[0].ID), maxLoggedID)
		})
	}
}

func TestADeliveryForAnotherNumberOrOneThatIsTooLongWritesNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	s.unwritten(func() {
		for _, number := range []string{"106540352242923", "10654035224292", ""} {
			w := s.post(bytes.ReplaceAll(file(t, "several"), []byte("106540352242922"),
				[]byte(number)))
			require.Equal(t, 200, w.Code, number)
			require.JSONEq(t, `{}`, w.Body.String())
		}
		require.Equal(t, 413, s.post(append(file(t, "several"),
			bytes.Repeat([]byte(" "), maxDelivery)...)).Code)
	})
	body := file(t, "several")
	require.Equal(t, 200, s.post(append(body, bytes.Repeat([]byte(" "),
		maxDelivery-len(body))...)).Code)
}

func TestDeliveriesThatComeThreeTimesAndOutOfOrderChangeNothingTwice(t *testing.T) {
	names := []string{"several", "statuses", "answer"}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}} {
		s := newSite(t, memstore.New())
		for range 3 {
			for _, i := range order {
				require.Equal(t, 200, s.post(file(t, names[i])).Code)
			}
		}
		for phone, want := range map[string][]string{riya: {"wamid.demo.1", "wamid.demo.2",
			"wamid.demo.4"}, susan: {"wamid.demo.3"}} {
			var ids []string
			opened := 0
			for _, e := range s.events()[phone] {
				if e.Kind == convo.MessageReceived {
					ids = append(ids, e.Row().ExternalID)
				}
				if e.Kind == convo.ConversationOpened {
					opened++
				}
			}
			require.ElementsMatch(t, want, ids)
			require.Equal(t, 1, opened)
		}
	}
}

func TestADeliveryThatComesManyTimesAtOnceIsThereOnce(t *testing.T) {
	s := newSite(t, memstore.New())
	body := file(t, "several")
	both := of("[" + text(riya, riyaID, "wamid.9", "by both") + "]")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if w := s.post(body); w.Code != 200 {
				t.Error(w.Code)
			}
		})
	}
	all.Wait()
	require.Len(t, s.events()[riya], 4)
	for range 8 {
		all.Go(func() {
			if w := s.post(both); w.Code != 200 {
				t.Error(w.Code)
			}
		})
	}
	all.Wait()
	require.Len(t, s.events()[riya], 6, "the message, and the user id")
	require.Empty(t, s.asides())
	require.Len(t, s.events()[susan], 3)
}

func TestWhatIsNoMessageOfAPersonIsIgnored(t *testing.T) {
	s := newSite(t, memstore.New())
	s.unwritten(func() {
		for _, body := range [][]byte{
			file(t, "statuses"),
			of(`[{"from":"919876543210","id":"wamid.1","type":"system","system":{"type":"customer_identity_changed","identity":"x"}}]`),
			of(`[]`), of(`null`),
			of(`[{"from":"919876543210","id":"wamid.1","type":"reaction","reaction":{"message_id":"wamid.0","emoji":"x"}}]`),
			of(`[{"from":"919876543210","id":"wamid.1","type":"system","system":{"type":"user_changed_number","wa_id":"919876500000"}}]`),
			of(`7`, `"field":"messages"`, `"field":"message_template_status_update"`),
			[]byte(`{"object":"whatsapp_business_account","entry":[]}`),
		} {
			require.Equal(t, 200, s.post(body).Code, string(body))
		}
	})
}

func TestEveryKindOfMessageIsRecordedWhole(t *testing.T) {
	s := newSite(t, memstore.New())
	for i, c := range []struct{ typ, content, body string }{
		{"image", `{"caption":"Here.","id":"1"}`, "Here."},
		{"audio", `{"id":"2","voice":true}`, ""},
		{"location", `{"latitude":48.4,"longitude":9.98,"name":"Ulm"}`, ""},
		{"contacts", `[{"name":{"formatted_name":"Susan"}}]`, ""},
		{"button", `{"payload":"yes","text":"Yes"}`, "Yes"},
		{"interactive", `{"type":"list_reply","list_reply":{"id":"1","title":"Track it","description":"x"}}`, "Track it"},
		{"order", `{"catalog_id":"1","text":"Two of them.","product_items":[]}`, "Two of them."},
		{"interactive", `{"type":"nfm_reply","nfm_reply":{"body":"Sent","response_json":"{}"}}`, "Sent"},
		{"poll", `{"text":{"question":"Tea?"}}`, ""},
		{"unsupported", ``, ""},
	} {
		member := ""
		if c.content != "" {
			member = fmt.Sprintf(`,%q:%s`, c.typ, c.content)
		}
		w := s.post(of(fmt.Sprintf(`[{"from":"919876543210","id":"wamid.%d","timestamp":"1","type":%q%s}]`, i, c.typ, member)))
		require.Equal(t, 200, w.Code, c.typ)
		events := s.events()[riya]
		last := events[len(events)-1]
		require.Equal(t, c.body, last.Row().Body, c.typ)
		var attached map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(last.Row().Attachments, &attached))
		require.JSONEq(t, fmt.Sprintf("%q", c.typ), string(attached["type"]))
		if c.content != "" {
			require.JSONEq(t, c.content, string(attached[c.typ]))
		}
	}
}

func TestABlockedContactsMessageIsAnsweredAndNotTaken(t *testing.T) {
	s := newSite(t, memstore.New())
	require.Equal(t, 200, s.post(file(t, "several")).Code)
	_, err := s.engine.Do(t.Context(), s.to(riya),
		convo.Block{By: convo.ByUser("ana"), Reason: "spam"})
	require.NoError(t, err)
	s.unwritten(func() {
		w := s.post(file(t, "answer"))
		require.Equal(t, 200, w.Code)
		require.JSONEq(t, `{"not taken":1}`, w.Body.String())
		require.Equal(t, 409, s.step("/contacts/"+riya+"/open", `{"id":"2"}`).Code)
	})
	require.Equal(t, 200, s.step("/contacts/"+riya+"/close", `{"id":"1"}`).Code, "by the workflow")
}

func TestStepsAreRunOnlyForWhomAndByWhomTheyMay(t *testing.T) {
	s := newSite(t, memstore.New())
	require.Equal(t, 200, s.post(file(t, "several")).Code)
	s.unwritten(func() {
		for _, authorization := range []string{
			"", "Bearer ", "Bearer demo-step", "Bearer demo-steps2", "Basic demo-steps",
			"demo-steps",
		} {
			w := s.send("POST", "/contacts/"+riya+"/close", []byte(`{"id":"1"}`),
				http.Header{"Authorization": {authorization}})
			require.Equal(t, 401, w.Code, authorization)
		}
		for path, status := range map[string]int{
			"/contacts/+10000000/close": 404, "/contacts/+10000000/open": 404,
			"/contacts/" + riya + "/delete":                   404,
			"/contacts/" + strings.Repeat("9", 300) + "/open": 400, "/contacts": 404, "/": 404,
		} {
			require.Equal(t, status, s.step(path, `{"id":"1"}`).Code, path)
		}
		for _, body := range []string{``, `{`, `[]`, `{}`, `{"id":""}`, `{"id":7}`,
			`{"id":"1","attributes":{"topic":7}}`} {
			require.Equal(t, 400, s.step("/contacts/"+riya+"/close", body).Code, body)
		}
		for name, body := range map[string]string{
			"a category that the policy does not have": `{"id":"1","attributes":{"topic":"Gossip"}}`,
			"a long id": `{"id":"` + strings.Repeat("x", 300) + `"}`,
		} {
			require.Equal(t, 400, s.step("/contacts/"+riya+"/close", body).Code, name)
		}
		require.Equal(t, 413, s.step("/contacts/"+riya+"/close",
			`{"id":"`+strings.Repeat("x", maxExecution)+`"}`).Code)
	})
	require.Equal(t, 200, s.step("/contacts/"+riya+"/close", `{"id":"1"}`).Code)
	s.unwritten(func() {
		require.Equal(t, 409, s.step("/contacts/"+riya+"/close", `{"id":"2"}`).Code, "it is closed")
	})
	for _, method := range []string{"PUT", "DELETE", "PATCH"} {
		require.Equal(t, 405, s.send(method, "/webhook", nil, nil).Code)
	}
}

func TestTheLogHasNeitherSecretsNorWhatWasSaid(t *testing.T) {
	s := newSite(t, memstore.New())
	body := file(t, "several")
	s.post(body)
	s.post(bytes.Replace(body, []byte(`"type": "text"`), []byte(`"type": 7`), 1))
	s.send("POST", "/webhook", body, http.Header{"X-Hub-Signature-256": {signature("guessed",
		body)}})
	s.send("GET", "/webhook?hub.mode=subscribe&hub.verify_token=guessed-verify&hub.challenge=1158201444", nil, nil)
	s.send("POST", "/contacts/"+riya+"/close", []byte(`{"id":"1"}`),
		http.Header{"Authorization": {"Bearer guessed-steps"}})
	s.step("/contacts/"+riya+"/close", `{"id":"1","attributes":{"topic":"gossip about kettles"}}`)
	s.step("/contacts/+10000000/close", `{"id":"1"}`)
	log := s.log.String()
	require.Equal(t, 5, strings.Count(log, "refused"), log)
	for _, reason := range []string{"status=400", `msg="set aside" id=wamid.demo.1`, "status=401", "status=403", "status=404",
		"POST /contacts/{address}/{step}"} {
		require.Contains(t, log, reason)
	}
	for _, secret := range []string{
		demoSettings.appSecret, demoSettings.verifyToken, demoSettings.workflowToken, "guessed",
		signature("guessed", body),
		signature(demoSettings.appSecret, body), "kettles", "Riya", "9198", "10000000", "gossip",
	} {
		require.NotContains(t, log, secret)
	}
}

// broken is a store that fails when it is to write the nth time.
type broken struct {
	convo.Store
	writes, fail int
}

func (b *broken) Commit(ctx context.Context, changes ...convo.Change) error {
	if b.writes++; b.writes == b.fail {
		return errors.New("no space left, says the test")
	}
	return b.Store.Commit(ctx, changes...)
}

func TestADeliveryThatFailsHalfWayIsTakenWholeTheNextTime(t *testing.T) {
	s := newSite(t, &broken{Store: memstore.New(), fail: 2})
	w := s.post(file(t, "several"))
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "space")
	require.Equal(t, 200, s.post(file(t, "several")).Code)
	require.Len(t, s.events()[riya], 4)
	require.Len(t, s.events()[susan], 3)

	s = newSite(t, &broken{Store: memstore.New(), fail: 4})
	require.Equal(t, 200, s.post(file(t, "several")).Code)
	require.Equal(t, 500, s.step("/contacts/"+riya+"/close", `{"id":"1"}`).Code)
	require.Equal(t, 200, s.step("/contacts/"+riya+"/close", `{"id":"1"}`).Code)
}

// lines hands out what is logged, line by line.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestItServesUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	logged, done := make(lines, 100), make(chan error, 1)
	go func() {
		done <- serve(ctx, "127.0.0.1:0", "", demoSettings,
			slog.New(slog.NewTextHandler(logged, nil)))
	}()
	_, address, ok := strings.Cut(strings.TrimSpace(<-logged), "address=")
	require.True(t, ok)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		"http://"+address+"/webhook?hub.mode=subscribe&hub.verify_token=demo-verify&hub.challenge=42", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "42", string(body))
	stop()
	require.NoError(t, <-done)
	http.DefaultClient.CloseIdleConnections()
}

func TestItDoesNotServeWithoutItsSecrets(t *testing.T) {
	for _, forget := range []func(*settings){
		func(s *settings) { s.phoneNumberID = "" }, func(s *settings) { s.appSecret = "" },
		func(s *settings) { s.verifyToken = "" }, func(s *settings) { s.workflowToken = "" },
	} {
		s := demoSettings
		forget(&s)
		require.ErrorContains(t, serve(t.Context(), "127.0.0.1:0", "", s,
			slog.New(slog.DiscardHandler)), "set ")
	}
	require.Error(t, serve(t.Context(), "127.0.0.1:99999", "", demoSettings,
		slog.New(slog.DiscardHandler)), "no such port")
}

const (
	riyaID = "IN.13491208655302741918"
	// 24 times is how often Meta delivers what is not answered well.
	often = 24
)

// line is a message by a number, by a user id, or by both, with what else it has.
func line(number, userID, id, rest string) string {
	who := ""
	if number != "" {
		who += fmt.Sprintf(`"from":%q,`, strings.TrimPrefix(number, "+"))
	}
	if userID != "" {
		who += fmt.Sprintf(`"from_user_id":%q,`, userID)
	}
	return fmt.Sprintf(`{%s"id":%q,"timestamp":"1741600800",%s}`, who, id, rest)
}

func text(number, userID, id, body string) string {
	return line(number, userID, id, fmt.Sprintf(`"type":"text","text":{"body":%q}`, body))
}

// take posts messages as often as Meta may, and returns what the first answer says.
func (s *site) take(messages ...string) string {
	s.t.Helper()
	return s.deliverOften(of("[" + strings.Join(messages, ",") + "]"))
}

func (s *site) deliverOften(body []byte) (first string) {
	s.t.Helper()
	var wrote map[string][]convo.Event
	for i := range often {
		w := s.post(body)
		require.Equal(s.t, 200, w.Code)
		if i == 0 {
			first, wrote = strings.TrimSpace(w.Body.String()), s.all()
		}
	}
	require.Equal(s.t, wrote, s.all(), "only the first one writes")
	return first
}

// all is the whole log, by contact.
func (s *site) all() map[string][]convo.Event {
	s.t.Helper()
	all := map[string][]convo.Event{}
	for _, address := range []string{riya, susan, riyaID, "+919876500000", "IN.2", "IN.3",
		"group:Y2FwaV9ncm91cDox"} {
		c, err := s.engine.Contact(s.t.Context(), s.to(address))
		if errors.Is(err, convo.ErrNotFound) {
			continue
		}
		require.NoError(s.t, err)
		all[c.ID], err = s.engine.History(s.t.Context(), s.to(address), convo.EventCursor{}, 0)
		require.NoError(s.t, err)
	}
	return all
}

func (s *site) contact(address string) string {
	s.t.Helper()
	id, err := s.contactOf(s.t.Context(), address)
	require.NoError(s.t, err)
	return id
}

// shown is what the transcript of a contact shows.
func (s *site) shown(address string) []convo.ShownMessage {
	s.t.Helper()
	events, err := s.engine.History(s.t.Context(), s.to(address), convo.EventCursor{}, 0)
	require.NoError(s.t, err)
	return convo.Messages(events)
}

func bodies(shown []convo.ShownMessage) (all []string) {
	for i := range shown {
		all = append(all, shown[i].Body)
	}
	return all
}

// opened counts the openings and reopenings of a contact.
func (s *site) opened(address string) (n int) {
	s.t.Helper()
	events, err := s.engine.History(s.t.Context(), s.to(address), convo.EventCursor{}, 0)
	require.NoError(s.t, err)
	for i := range events {
		if k := events[i].Kind; k == convo.ConversationOpened || k == convo.ConversationReopened {
			n++
		}
	}
	return n
}

func (s *site) status(address string) convo.Status {
	s.t.Helper()
	c, err := s.engine.Conversation(s.t.Context(), s.to(address))
	require.NoError(s.t, err)
	return c.Status
}

func (s *site) close(address string) {
	s.t.Helper()
	_, err := s.engine.Do(s.t.Context(), s.to(address), convo.Close{By: convo.ByUser("ana")})
	require.NoError(s.t, err)
}

func TestWhoShowsNoNumberWritesByTheirUserIDAndTakesNobodyDown(t *testing.T) {
	s := newSite(t, memstore.New())
	profiles := `"contacts":[{"profile":{"name":"Riya","username":"@riya"},"user_id":"` + riyaID +
		`"},{"profile":{"name":"Susan"},"wa_id":"4915550102030","user_id":"IN.3"}],"messages":`
	w := s.post(of("["+text(susan, "", "wamid.1", "one")+","+text("", riyaID, "wamid.2", "two")+
		","+text(susan, "", "wamid.3", "three")+"]", `"messages":`, profiles))
	require.Equal(t, 200, w.Code)
	require.JSONEq(t, `{"opened":2,"recorded":1}`, w.Body.String())
	require.Equal(t, []string{"two"}, bodies(s.shown(riyaID)))
	require.Equal(t, []string{"one", "three"}, bodies(s.shown(susan)))
	require.Equal(t, s.contact(susan), s.contact("IN.3"), "the profile tells the user id")
	require.Empty(t, s.asides())

	w = s.step("/contacts/"+riyaID+"/close", `{"id":"1"}`)
	require.Equal(t, 200, w.Code, w.Body.String())
	c, err := s.engine.Conversation(t.Context(), s.to(riyaID))
	require.NoError(t, err)
	require.Contains(t, c.Cycle.Closing.Summary, "Riya")
	require.Equal(t, riyaID, c.Address.Value, "where to answer")

	// An empty number is none, and one profile is that of a message that names nobody.
	one := `"contacts":[{"profile":{"name":"Riya"},"wa_id":"","user_id":"` + riyaID +
		`"}],"messages":`
	require.Equal(t, 200, s.post(of(`[{"from":"","from_user_id":"`+riyaID+
		`","id":"wamid.4","type":"text","text":{"body":"four"}}]`)).Code)
	require.Equal(t, 200, s.post(of("["+text("", "", "wamid.5", "five")+"]", `"messages":`,
		one)).Code)
	require.Equal(t, []string{"two", "four", "five"}, bodies(s.shown(riyaID)))
}

func TestANumberAndAUserIDThatComeTogetherAreOneContact(t *testing.T) {
	number, id := text(riya, "", "wamid.1", "by number"), text("", riyaID, "wamid.2", "by id")
	both := text(riya, riyaID, "wamid.3", "by both")
	for name, order := range map[string][]string{
		"the number is known": {number, both, id}, "the id is known": {id, both, number},
		"nobody is known": {both, number, id}, "and the id comes first": {both, id, number},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, memstore.New())
			for _, m := range order {
				s.take(m)
			}
			require.Equal(t, s.contact(riya), s.contact(riyaID))
			require.Len(t, s.shown(riya), 3)
			require.Equal(t, 1, s.opened(riya))
			require.Empty(t, s.asides())
		})
	}
}

func TestWhoMayBeSomebodyElseIsAnotherContactUntilAPersonMergesThem(t *testing.T) {
	// The number's contact has another user id: it may have been given to somebody else.
	s := newSite(t, memstore.New())
	s.take(text(riya, riyaID, "wamid.1", "my secret"))
	s.take(text(riya, "IN.2", "wamid.2", "a new owner"))
	s.take(text(riya, "IN.2", "wamid.3", "once more"))
	require.Equal(t, []string{"my secret"}, bodies(s.shown(riyaID)))
	require.Equal(t, []string{"a new owner", "once more"}, bodies(s.shown("IN.2")))
	list := s.asides()
	require.Len(t, list, 1, "it is one doubt")
	require.Contains(t, list[0].Reason, "merge the two")

	// Or both are known already.
	s = newSite(t, memstore.New())
	s.take(text(riya, "", "wamid.1", "by number"))
	s.take(text("", riyaID, "wamid.2", "by id"))
	s.take(text(riya, riyaID, "wamid.3", "by both"))
	require.Equal(t, []string{"by id", "by both"}, bodies(s.shown(riyaID)))
	require.Len(t, s.asides(), 1)
	_, err := s.engine.Merge(t.Context(), convo.Merge{
		Workspace: s.workspace, Primary: s.contact(riya), Secondary: s.contact(riyaID),
		By: convo.ByUser("ana"),
	})
	require.NoError(t, err)
	s.take(text(riya, riyaID, "wamid.4", "as one"))
	require.Len(t, s.shown(riya), 4)
}

func TestOtherNumbersOfTheAccountAreLeftAlone(t *testing.T) {
	s := newSite(t, memstore.New())
	for i, theirs := range []string{
		`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"2"},"messages":[` +
			text(susan, "", "wamid.9", "theirs") + `]}}`,
		`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"2"},"messages":7}}`,
	} {
		ours := fmt.Sprintf("wamid.%d", i)
		body := of("["+text(riya, "", ours, "ours")+"]", `"changes":[`, `"changes":[`+theirs+`,`,
			"}}]}]}", "}},"+theirs+"]},{\"id\":\"2\",\"changes\":["+theirs+"]}]}")
		s.deliverOften(body)
		require.Len(t, s.shown(riya), i+1)
		require.Empty(t, s.contact(susan))
		require.Empty(t, s.asides(), "they are not ours to look at")
	}
}

func TestABadMessageCostsNoneOfTheOthers(t *testing.T) {
	s := newSite(t, memstore.New())
	for i, bad := range []string{
		`7`, `{"from":"riya","id":"wamid.bad","type":"text","text":{"body":"x"}}`,
		line(riya, "", "", `"type":"text","text":{"body":"x"}`),
		text(riya, "", "wamid.long", strings.Repeat("x", 65<<10)),
		line(riya, "", "wamid.edit", `"type":"edit","edit":{"original_message_id":"wamid.none",
			"message":{"type":"text","text":{"body":"x"}}}`),
	} {
		answer := s.take(text(riya, "", fmt.Sprintf("wamid.1.%d", i), "before"), bad,
			text(susan, "", fmt.Sprintf("wamid.2.%d", i), "behind"))
		require.Contains(t, answer, `"set aside":1`)
		require.Len(t, s.shown(riya), i+1)
		require.Len(t, s.shown(susan), i+1)
		list := s.asides()
		require.Len(t, list, i+1)
		require.Equal(t, often, list[0].Times, "the latest one is the first")
	}
	// Profiles that are none do not cost the messages either.
	require.Equal(t, 200, s.post(of("["+text(riya, "", "wamid.3", "still")+"]", `"messages":`,
		`"contacts":7,"messages":`)).Code)
	require.Len(t, s.shown(riya), 6)
}

func TestAnEditChangesTheTextAndOpensNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	edit := func(number, userID, id, original, message string) string {
		return line(number, userID, id, `"type":"edit","edit":{"original_message_id":"`+original+
			`","message":`+message+`}`)
	}
	s.take(text(riya, riyaID, "wamid.1", "at 5"))
	s.take(line(riya, riyaID, "wamid.2", `"type":"image","image":{"caption":"Hre.","id":"7"}`))
	require.JSONEq(t, `{"edited":1}`, s.take(edit(riya, riyaID, "wamid.3", "wamid.1",
		`{"context":{"id":"M0"},"type":"text","text":{"body":"at 6"}}`)))
	s.take(edit(riya, riyaID, "wamid.4", "wamid.2",
		`{"type":"image","image":{"caption":"Here.","id":"7"}}`))
	s.close(riya)
	// By now the number is not shown any more.
	require.JSONEq(t, `{"edited":1}`, s.take(edit("", riyaID, "wamid.5", "wamid.1",
		`{"type":"text","text":{"body":"at 7"}}`)))
	// What was delivered before does not undo it.
	require.JSONEq(t, `{"duplicate":1}`, s.take(edit(riya, riyaID, "wamid.3", "wamid.1",
		`{"context":{"id":"M0"},"type":"text","text":{"body":"at 6"}}`)))
	require.Equal(t, []string{"at 7", "Here."}, bodies(s.shown(riya)))
	require.Contains(t, string(s.shown(riya)[1].Attachments), `"id":"7"`)
	require.Equal(t, 1, s.opened(riya))
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.Empty(t, s.asides())

	require.JSONEq(t, `{"set aside":1}`, s.take(edit(riya, riyaID, "wamid.6", "wamid.none",
		`{"type":"text","text":{"body":"of what?"}}`)))
	require.Equal(t, "wamid.6", s.asides()[0].ID)
	require.JSONEq(t, `{"set aside":1}`, s.take(edit(riya, riyaID, "wamid.5", "wamid.1",
		`{"type":"text","text":{"body":"the same id"}}`)))
	require.Equal(t, "wamid.5", s.asides()[0].ID)
}

func TestARevokeTakesAMessageBackAndOpensNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	revoke := line(riya, "", "wamid.2",
		`"type":"revoke","revoke":{"original_message_id":"wamid.1"}`)
	s.take(text(riya, "", "wamid.1", "to the wrong one"))
	s.close(riya)
	require.JSONEq(t, `{"retracted":1}`, s.take(revoke))
	require.Equal(t, []string{""}, bodies(s.shown(riya)))
	require.NotZero(t, s.shown(riya)[0].RetractedAt)
	require.Equal(t, 1, s.opened(riya))
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.JSONEq(t, `{"duplicate":1}`, s.take(text(riya, "", "wamid.1", "to the wrong one")))
}

func TestAChatThatIsOpenedIsAWelcomeEventAndNoMessage(t *testing.T) {
	s := newSite(t, memstore.New())
	welcome := line(riya, riyaID, "wamid.1", `"type":"request_welcome"`)
	require.JSONEq(t, `{"opened":1}`, s.take(welcome))
	require.Empty(t, s.shown(riya))
	c, err := s.engine.Conversation(t.Context(), s.to(riya))
	require.NoError(t, err)
	require.Equal(t, convo.SourceWelcomeEvent, c.Cycle.OpenedSource)
	s.take(text(riya, riyaID, "wamid.2", "Hello"))
	s.close(riya)
	require.JSONEq(t, `{"duplicate":1}`, s.take(welcome), "behind the closing, too")
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.Equal(t, 1, s.opened(riyaID))
}

func TestWhatMetaCannotTellIsKeptAndOpensNothing(t *testing.T) {
	s := newSite(t, memstore.New())
	const what = `"type":"unsupported","unsupported":{"type":"poll_creation"},
		"errors":[{"code":131051,"title":"Message type unknown"}]`
	require.JSONEq(t, `{"recorded":1}`, s.take(line(riya, "", "wamid.1", what)))
	require.Zero(t, s.opened(riya))
	s.take(text(riya, "", "wamid.2", "Hello"))
	s.close(riya)
	s.take(line(riya, "", "wamid.3", what))
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.Equal(t, 1, s.opened(riya))
	shown := s.shown(riya)
	require.Len(t, shown, 3)
	require.True(t, shown[2].Event.Message().Quiet)
	require.Contains(t, string(shown[2].Attachments), "131051")
}

func TestWhatIsSaidInAGroupIsTheGroups(t *testing.T) {
	s := newSite(t, memstore.New())
	const group = `"group_id":"Y2FwaV9ncm91cDox",`
	s.take(text(riya, riyaID, "wamid.1", "privately"))
	s.close(riya)
	body := of("["+line(riya, riyaID, "wamid.2", group+`"type":"text","text":{"body":"to all"}`)+
		","+line(susan, "", "wamid.3", group+`"type":"text","text":{"body":"indeed"}`)+"]",
		`"messages":`, `"contacts":[{"profile":{"name":"Riya"},"wa_id":"919876543210"}],"messages":`)
	require.JSONEq(t, `{"opened":1,"recorded":1}`, s.deliverOften(body))
	require.Equal(t, []string{"privately"}, bodies(s.shown(riya)))
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.Empty(t, s.contact(susan))

	shown := s.shown("group:Y2FwaV9ncm91cDox")
	require.Equal(t, []string{"to all", "indeed"}, bodies(shown))
	require.JSONEq(t, `{"type":"text","group_id":"Y2FwaV9ncm91cDox","from":"919876543210",
		"from_user_id":"`+riyaID+`"}`, string(shown[0].Attachments))
	s.take(line(riya, riyaID, "wamid.4", group+`"type":"edit","edit":{
		"original_message_id":"wamid.2","message":{"type":"text","text":{"body":"to you"}}}`))
	require.Equal(t, []string{"to you", "indeed"}, bodies(s.shown("group:Y2FwaV9ncm91cDox")))
	require.Equal(t, 200, s.step("/contacts/group:Y2FwaV9ncm91cDox/close", `{"id":"1"}`).Code)
	require.NotContains(t, s.names, s.contact("group:Y2FwaV9ncm91cDox"))
}

// echo is a message written in the WhatsApp Business app.
func echo(id, rest string) []byte {
	return of(`[{"from":"15550100100","to":"919876543210","id":"`+id+
		`","timestamp":"1741600900",`+rest+`}]`, `"field":"messages"`,
		`"field":"smb_message_echoes"`, `"messages":`, `"message_echoes":`)
}

func TestWhatIsWrittenInTheAppIsSentByAPerson(t *testing.T) {
	s := newSite(t, memstore.New())
	s.take(text(riya, "", "wamid.1", "Hello"))
	hello := echo("wamid.2", `"type":"text","text":{"body":"Hello Riya"}`)
	require.JSONEq(t, `{"recorded":1}`, s.deliverOften(hello))
	c, err := s.engine.Conversation(t.Context(), s.to(riya))
	require.NoError(t, err)
	require.NotZero(t, c.Cycle.FirstResponseAt)
	shown := s.shown(riya)
	require.Equal(t, convo.ByUser(app), shown[1].Event.By)
	require.Equal(t, riya, shown[1].Event.Message().Address)
	require.Equal(t, time.Unix(1741600900, 0).UTC(), shown[1].Event.Message().SentAt)

	require.JSONEq(t, `{"edited":1}`, s.deliverOften(echo("wamid.3", `"type":"edit","edit":{
		"original_message_id":"wamid.2","message":{"type":"text","text":{"body":"Hi"}}}`)))
	require.Equal(t, []string{"Hello", "Hi"}, bodies(s.shown(riya)))
	require.JSONEq(t, `{"retracted":1}`, s.deliverOften(echo("wamid.4",
		`"type":"revoke","revoke":{"original_message_id":"wamid.2"}`)))
	require.Equal(t, []string{"Hello", ""}, bodies(s.shown(riya)))

	// Behind the closing it is kept, and opens nothing; nor does it where nobody wrote before.
	s.close(riya)
	require.JSONEq(t, `{"duplicate":1}`, s.deliverOften(hello))
	require.JSONEq(t, `{"recorded":1}`, s.deliverOften(echo("wamid.5",
		`"type":"text","text":{"body":"Bye"}`)))
	require.Equal(t, convo.StatusClosed, s.status(riya))
	require.Equal(t, []string{"Hello", "", "Bye"}, bodies(s.shown(riya)))
	s = newSite(t, memstore.New())
	s.deliverOften(echo("wamid.6", `"type":"text","text":{"body":"An offer"}`))
	require.Zero(t, s.opened(riya))
	s.take(text(riya, "", "wamid.7", "Yes"))
	require.Equal(t, []string{"An offer", "Yes"}, bodies(s.shown(riya)))
	require.Empty(t, s.asides())
}

func TestAnotherNumberIsTheSameContactAndTheSameConversation(t *testing.T) {
	const number = "+919876500000"
	moves := func(from, fromID, system string) string {
		return line(from, fromID, "wamid.2", `"type":"system","system":`+system)
	}
	for name, c := range map[string]struct{ before, change, after string }{
		"a number": {text(riya, "", "wamid.1", "from the old one"),
			moves(riya, "", `{"type":"user_changed_number","wa_id":"919876500000"}`),
			text(number, "", "wamid.3", "from the new one")},
		"a number and its user id": {text(riya, riyaID, "wamid.1", "from the old one"),
			moves(riya, riyaID, `{"type":"user_changed_number","wa_id":"919876500000",
				"user_id":"IN.2","previous_user_id":"`+riyaID+`"}`),
			text(number, "IN.2", "wamid.3", "from the new one")},
		"a user id, by the old one": {text("", riyaID, "wamid.1", "from the old one"),
			moves("", "IN.2", `{"type":"user_changed_user_id","user_id":"IN.2",
				"previous_user_id":"`+riyaID+`"}`),
			text("", "IN.2", "wamid.3", "from the new one")},
		"a user id, by the message's": {text("", riyaID, "wamid.1", "from the old one"),
			moves("", riyaID, `{"type":"user_changed_user_id","user_id":"IN.2"}`),
			text("", "IN.2", "wamid.3", "from the new one")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, memstore.New())
			s.take(c.before)
			require.JSONEq(t, `{"linked":1}`, s.take(c.change))
			require.JSONEq(t, `{"recorded":1}`, s.take(c.after))
			all := s.all()
			require.Len(t, all, 1)
			for id := range all {
				page, err := s.engine.Conversations(t.Context(), convo.Filter{
					Workspace: s.workspace, Contact: id,
				})
				require.NoError(t, err)
				require.Len(t, page, 1)
			}
			require.Empty(t, s.asides())
		})
	}
}

func TestANewNumberThatIsSomebodysIsLeftToAPerson(t *testing.T) {
	s := newSite(t, memstore.New())
	s.take(text(riya, "", "wamid.1", "Riya"))
	s.take(text(susan, "", "wamid.2", "Susan"))
	require.JSONEq(t, `{"set aside":1}`, s.take(line(riya, "", "wamid.3", `"type":"system","system":{
		"type":"user_changed_number","wa_id":"4915550102030","user_id":"IN.2"}`)))
	require.Equal(t, s.contact(riya), s.contact("IN.2"), "what nobody has is linked")
	require.NotEqual(t, s.contact(riya), s.contact(susan))
	list := s.asides()
	require.Len(t, list, 1)
	require.Contains(t, list[0].Reason, "merge the two")

	// Who the new user id is already is not who had the old number, though the message is by it.
	s = newSite(t, memstore.New())
	s.take(text(riya, "", "wamid.1", "Riya"))
	s.take(text("", "IN.2", "wamid.2", "Riya, too"))
	require.JSONEq(t, `{"set aside":1}`, s.take(line(riya, "IN.2", "wamid.3", `"type":"system",
		"system":{"type":"user_changed_number","wa_id":"919876500000","user_id":"IN.2"}`)))
	require.Equal(t, s.contact(riya), s.contact("+919876500000"))
	require.NotEqual(t, s.contact(riya), s.contact("IN.2"))
}

func TestAMessageKeepsWhatItAnswersAndWhereItCameFrom(t *testing.T) {
	s := newSite(t, memstore.New())
	const rest = `"context":{"from":"15550100100","id":"wamid.0"},
		"referral":{"source_type":"ad","source_id":"120","ctwa_clid":"Aff"}`
	s.take(line(riya, "", "wamid.1", `"type":"text","text":{"body":"How much?"},`+rest))
	s.take(line(riya, "", "wamid.2", `"type":"image","image":{"id":"7"},`+rest))
	s.take(text(riya, "", "wamid.3", "Hello?"))
	shown := s.shown(riya)
	require.Equal(t, "How much?", shown[0].Body)
	require.JSONEq(t, `{"type":"text",`+rest+`}`, string(shown[0].Attachments))
	require.JSONEq(t, `{"type":"image","image":{"id":"7"},`+rest+`}`, string(shown[1].Attachments))
	require.Empty(t, shown[2].Attachments)
}

func TestAMessageIsAsOldAsMetaSays(t *testing.T) {
	s := newSite(t, memstore.New())
	sent := time.Unix(1741600800, 0).UTC()
	for i, c := range []struct {
		timestamp string
		want      time.Time
	}{
		{`"1741600800"`, sent}, {`1741600800`, sent}, {`"soon"`, time.Time{}},
		{`null`, time.Time{}}, {`"-5"`, time.Time{}},
		{`"1741600800000"`, time.Time{}}, {`{"a":1}`, time.Time{}},
		{fmt.Sprintf(`"%d"`, time.Now().Add(time.Hour).Unix()), time.Time{}},
	} {
		m := strings.Replace(text(riya, "", fmt.Sprintf("wamid.%d", i), "Hi"), `"1741600800"`,
			c.timestamp, 1)
		require.Equal(t, 200, s.post(of("["+m+"]")).Code)
		require.Len(t, s.shown(riya), i+1, c.timestamp)
		require.Equal(t, c.want, s.shown(riya)[i].Event.Message().SentAt, c.timestamp)
	}
}

// office is a deliverer that knows some messages.
type office struct {
	knows map[string]bool // address and external id
	got   []convo.Delivery
	err   error
}

func (o *office) Deliver(
	_ context.Context, _ string, rs ...convo.Delivery,
) (unknown int, err error) {
	for _, r := range rs {
		if o.knows[r.Address+" "+r.ExternalID] {
			o.got = append(o.got, r)
		} else {
			unknown++
		}
	}
	return unknown, o.err
}

func TestStatusesAreReceipts(t *testing.T) {
	s := newSite(t, memstore.New())
	o := &office{knows: map[string]bool{
		riya + " wamid.demo.out.1": true, susan + " wamid.demo.out.2": true,
		riyaID + " wamid.3": true, "group:Y2Fw wamid.4": true,
	}}
	s.receipts = o
	require.JSONEq(t, `{"receipt":2}`, s.post(file(t, "statuses")).Body.String())
	w := s.post(of(`[],"statuses":[
		{"id":"wamid.3","status":"played","timestamp":"1741600800","recipient_id":"919876543210","recipient_user_id":"` + riyaID + `"},
		{"id":"wamid.4","status":"sent","timestamp":"1741600800","recipient_id":"Y2Fw","recipient_type":"group"},
		{"id":"wamid.5","status":"read","timestamp":"1741600800","recipient_id":"919876543210"},
		{"id":"wamid.3","status":"deleted","timestamp":"1741600800","recipient_user_id":"` + riyaID + `"},
		{"id":7,"status":"read"}]`))
	require.Equal(t, 200, w.Code)
	require.JSONEq(t, `{"receipt":2,"unknown receipt":1,"set aside":1}`, w.Body.String())
	at := time.Unix(1741600800, 0).UTC()
	receipt := func(address, id string, status convo.DeliveryStatus, at time.Time,
		reason string) convo.Delivery {
		return convo.Delivery{
			Channel: channel, Address: address, ExternalID: id, Status: status, At: at,
			Reason: reason,
		}
	}
	require.Equal(t, []convo.Delivery{
		receipt(riya, "wamid.demo.out.1", "delivered", time.Unix(1741600900, 0).UTC(), ""),
		receipt(susan, "wamid.demo.out.2", "failed", time.Unix(1741600901, 0).UTC(),
			"131047 Re-engagement message"),
		receipt(riyaID, "wamid.3", "read", at, ""),
		receipt("group:Y2Fw", "wamid.4", "sent", at, ""),
	}, o.got)
	o.err = errors.New("no space left, says the test")
	require.Equal(t, 500, s.post(file(t, "statuses")).Code)

	// And the engine knows what was written in the app.
	s = newSite(t, memstore.New())
	s.deliverOften(echo("wamid.6", `"type":"text","text":{"body":"An offer"}`))
	require.JSONEq(t, `{"receipt":1}`, s.deliverOften(of(`[],"statuses":[{"id":"wamid.6",
		"status":"read","timestamp":"1741600950","recipient_id":"919876543210"}]`)))
	shown := s.shown(riya)
	require.NoError(t, s.engine.AddDeliveries(t.Context(), shown))
	require.Equal(t, convo.DeliveryRead, shown[0].Delivery.Status)
	require.Equal(t, time.Unix(1741600950, 0).UTC(), shown[0].Delivery.At)
}

func TestWhatWasSetAsideIsShownOnlyToThoseWhoMayRunSteps(t *testing.T) {
	s := newSite(t, memstore.New())
	for i := range maxAside + 5 {
		require.Equal(t, 200, s.post(of(fmt.Sprintf(`[{"id":"wamid.%d"}]`, i))).Code)
	}
	for _, authorization := range []string{"", "Bearer ", "Bearer demo-step", "demo-steps"} {
		w := s.send("GET", "/set-aside", nil, http.Header{"Authorization": {authorization}})
		require.Equal(t, 401, w.Code, authorization)
		require.NotContains(t, w.Body.String(), "wamid")
	}
	list := s.asides()
	require.Len(t, list, maxAside)
	require.Equal(t, fmt.Sprintf("wamid.%d", maxAside+4), list[0].ID)
	require.JSONEq(t, fmt.Sprintf(`{"id":"wamid.%d"}`, maxAside+4), string(list[0].Message))
}

// A store that fails with one message does not keep the others away, and what is linked afterwards
// is linked when the delivery comes again.
func TestWhatFailsIsMadeGoodByTheNextDelivery(t *testing.T) {
	for fail := 1; fail <= 3; fail++ {
		s := newSite(t, &broken{Store: memstore.New(), fail: fail})
		body := of("[" + text(riya, riyaID, "wamid.1", "one") + "," +
			text(susan, "", "wamid.2", "two") + "]")
		require.Equal(t, 500, s.post(body).Code)
		require.NotEmpty(t, s.contact(susan)+s.contact(riyaID))
		s.deliverOften(body)
		require.Equal(t, s.contact(riya), s.contact(riyaID))
		require.Len(t, s.shown(riya), 1)
		require.Len(t, s.shown(susan), 1)
	}
}

// Who is only known by what was quiet goes on as everybody does.
func TestWhoWasOnlyWrittenToIsNotLost(t *testing.T) {
	const riyaID = "IN.13491208655302741918"
	for name, first := range map[string][]byte{
		"an echo by the number": echo("wamid.0", `"type":"text","text":{"body":"hello"}`),
		"an echo by both": echo("wamid.0", `"to_user_id":"`+riyaID+`","type":"text",
			"text":{"body":"hello"}`),
		"something unsupported": of(`[{"from":"919876543210","from_user_id":"` + riyaID + `",
			"id":"wamid.0","type":"unsupported"}]`),
	} {
		s := newSite(t, memstore.New())
		require.JSONEq(t, `{"recorded":1}`, s.post(first).Body.String(), name)
		w := s.post(of("[" + text(riya, riyaID, "wamid.1", "Yes, I buy") + "]"))
		require.JSONEq(t, `{"opened":1}`, w.Body.String(), name)
		w = s.post(of("[" + text("", riyaID, "wamid.2", "And more") + "]"))
		require.JSONEq(t, `{"recorded":1}`, w.Body.String(), name)
		addresses, err := s.engine.Addresses(t.Context(), s.to(riya))
		require.NoError(t, err)
		require.Len(t, addresses, 2, name)
	}
}

func TestAnEditMayStandBeforeItsMessageInADelivery(t *testing.T) {
	s := newSite(t, memstore.New())
	w := s.post(of(`[
		{"from":"919876543210","id":"wamid.3","type":"edit","edit":{"original_message_id":"wamid.1",
			"message":{"type":"text","text":{"body":"at six"}}}},
		{"from":"919876543210","id":"wamid.1","type":"text","text":{"body":"at five"}}]`))
	require.JSONEq(t, `{"opened":1,"edited":1}`, w.Body.String())
	for _, message := range []string{
		`{"text":{"body":"x"}}`, `{"type":7,"text":{"body":"x"}}`, `{"type":"image"}`,
		`{"type":"text","text":null}`,
	} {
		w := s.post(of(`[{"from":"919876543210","id":"wamid.4","type":"edit",
			"edit":{"original_message_id":"wamid.1","message":` + message + `}}]`))
		require.JSONEq(t, `{"set aside":1}`, w.Body.String(), message)
	}
	log, err := s.engine.Transcript(t.Context(), s.to(riya), convo.EventCursor{}, 0)
	require.NoError(t, err)
	require.Equal(t, "at six", convo.Messages(log)[0].Body)
}

func TestAReasonIsKeptAsFarAsItCanBe(t *testing.T) {
	for _, c := range [][2]string{
		{`{"code":131047,"title":"Re-engagement message"}`, "131047 Re-engagement message"},
		{`{"code":"131047","title":"a\u0000b"}`, "131047 a b"},
		{`{"title":"` + strings.Repeat("ž", 9000) + `"}`,
			" " + strings.Repeat("ž", (convo.DefaultMaxReason-1)/2)},
	} {
		in := readStatus([]byte(`{"id":"wamid.1","status":"failed","recipient_id":"919876543210",
			"errors":[`+c[0]+`]}`), time.Now())
		require.Empty(t, in.problem)
		require.Equal(t, c[1], in.receipts[0].Reason)
	}
}

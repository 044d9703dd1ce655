package dialect

// What a contact has, with those that were merged into it.

// mergedContacts are a contact and those that were merged into it.
const mergedContacts = `(SELECT id FROM convo_contacts WHERE workspace = ? AND id = ?
	UNION ALL SELECT id FROM convo_contacts WHERE workspace = ? AND merged_into = ?) merged`

// EventOfContact looks through all conversations of a contact.
func (d *Dialect) EventOfContact() string {
	return "SELECT " + Events.Read.Qualify("ev") + `
	FROM convo_conversations cv
	` + d.JoinInOrder() + ` convo_events ev
	ON ev.workspace = cv.workspace AND ev.conversation = cv.id
	WHERE cv.workspace = ? AND cv.contact = ? AND ev.id = ?`
}

// ContactEventOfContact does so in the logs of contacts.
func (d *Dialect) ContactEventOfContact() string {
	return "SELECT " + ContactEvents.Read.Qualify("ce") + "\n\tFROM " + mergedContacts + `
	` + d.JoinInOrder() + ` convo_contact_events ce
	ON ce.workspace = ? AND ce.contact = merged.id
	WHERE ce.id = ?`
}

// AddressesOfContact are those of a contact, and of who was merged into it.
func (d *Dialect) AddressesOfContact() string {
	return "SELECT ad.channel, ad.value FROM " + mergedContacts + `
	` + d.JoinInOrder() + ` convo_addresses ad ON ad.workspace = ? AND ad.contact = merged.id`
}

// Family are the contacts that were merged into one.
func (d *Dialect) Family() string {
	return "SELECT " + Contacts.Read.Names() + "\n\tFROM convo_contacts" +
		d.indexedBy("convo_contacts_merged") + "\n\tWHERE workspace = ? AND merged_into = ?"
}

// MergeContacts has those that were merged into a contact count as merged into another one.
func (d *Dialect) MergeContacts() string {
	return "UPDATE convo_contacts" + d.indexedBy("convo_contacts_merged") +
		" SET merged_into = ?\n\tWHERE workspace = ? AND merged_into = ?"
}

// MergeActives gives the active conversations of a contact to another one.
func (d *Dialect) MergeActives() string {
	return "UPDATE convo_active" + d.indexedBy("convo_active_slot") + mergeActives
}

const mergeActives = " SET contact = ?\n\tWHERE workspace = ? AND contact = ?"

// indexedBy has an UPDATE find its rows by an index, where the engine would rather read all that a
// workspace has than change what it finds them by.
func (d *Dialect) indexedBy(index string) string {
	if !d.namesIndex {
		return ""
	}
	return " INDEXED BY " + index
}

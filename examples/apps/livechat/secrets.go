package main

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// account is an agent's. Its name is unique in its workspace.
type account struct {
	Name      string `json:"name"`
	Workspace string `json:"workspace"`
	Salt      []byte `json:"salt"`
	Hash      []byte `json:"hash"` // of the password
	password  string // known only when the account is made
}

// secrets is what must outlive the process and does not belong among conversations.
type secrets struct {
	Key      []byte         `json:"key"` // signs visitors' tokens
	Accounts []account      `json:"accounts"`
	Sessions []savedSession `json:"sessions,omitempty"`

	file    string // where they are kept; empty: nowhere
	hashing func() // of a test: called before a password is hashed
}

const (
	// hashRounds is what OWASP advises for PBKDF2-HMAC-SHA512.
	hashRounds  = 210_000
	minPassword = 12
	maxPassword = 200
)

// openSecrets reads the secrets in file, and makes those that are missing: the key, and the
// accounts of agents. It writes nothing: new passwords must not be kept before it is sure that
// somebody gets to see them.
func openSecrets(file string, agents []string, password string) (s *secrets, made []account,
	err error) {
	s = &secrets{file: file}
	if file != "" {
		data, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(data, s)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	if len(s.Accounts) == 0 && len(agents) == 0 {
		agents = []string{"ana@kettles", "ben@kettles"}
	}
	if len(s.Key) == 0 {
		s.Key = make([]byte, 32)
		_, _ = rand.Read(s.Key) // never fails
	}
	for _, agent := range agents {
		name, workspace, _ := strings.Cut(agent, "@")
		if s.find(name, workspace) != nil {
			continue
		}
		a, err := newAccount(name, workspace, password)
		if err != nil {
			return nil, nil, err
		}
		s.Accounts = append(s.Accounts, a)
		made = append(made, a)
	}
	return s, made, nil
}

// reset gives the account NAME@WORKSPACE another password, and ends its sessions.
func (s *secrets) reset(agent, password string) (account, error) {
	name, workspace, _ := strings.Cut(agent, "@")
	a := s.find(name, workspace)
	if a == nil {
		return account{}, fmt.Errorf("there is no account %q to reset", agent)
	}
	fresh, err := newAccount(name, workspace, password)
	if err != nil {
		return account{}, err
	}
	*a = fresh
	s.Sessions = slices.DeleteFunc(s.Sessions, func(n savedSession) bool {
		return n.Name == name && n.Workspace == workspace
	})
	return fresh, nil
}

// write replaces the file as a whole, readable by its owner only.
func (s *secrets) write() error {
	file := s.file
	if file == "" {
		return nil
	}
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // with mode 0600
	if err != nil {
		return err
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}

func newAccount(name, workspace, password string) (account, error) {
	for _, s := range []string{name, workspace} {
		if s == "" || len(s) > 40 ||
			strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return account{}, fmt.Errorf("agent %q: write NAME@WORKSPACE, each of up to 40 of "+
				"a-z, 0-9 and -", name+"@"+workspace)
		}
	}
	if password == "" {
		password = rand.Text()
	}
	if len(password) < minPassword || len(password) > maxPassword {
		return account{}, fmt.Errorf("a password has %d to %d bytes", minPassword, maxPassword)
	}
	a := account{Name: name, Workspace: workspace, Salt: make([]byte, 16), password: password}
	_, _ = rand.Read(a.Salt)
	a.Hash = a.hash(password)
	return a, nil
}

func (a *account) hash(password string) []byte {
	h, err := pbkdf2.Key(sha512.New, password, a.Salt, hashRounds, 32)
	if err != nil {
		panic(err) // only for lengths that are none
	}
	return h
}

func (s *secrets) find(name, workspace string) *account {
	i := slices.IndexFunc(s.Accounts, func(a account) bool {
		return a.Name == name && a.Workspace == workspace
	})
	if i < 0 {
		return nil
	}
	return &s.Accounts[i]
}

// check finds the account name@workspace if password is its own. It takes as long for an account
// that there is not.
func (s *secrets) check(login, password string) *account {
	if s.hashing != nil {
		s.hashing()
	}
	name, workspace, _ := strings.Cut(login, "@")
	a := s.find(name, workspace)
	b := a
	if b == nil {
		b = &s.Accounts[0]
	}
	same := subtle.ConstantTimeCompare(b.hash(password), b.Hash) == 1
	if a == nil || !same {
		return nil
	}
	return a
}

// knows reports whether there is such a workspace.
func (s *secrets) knows(workspace string) bool {
	return slices.ContainsFunc(s.Accounts, func(a account) bool { return a.Workspace == workspace })
}

// agents are the names of those who work in workspace.
// workspaces are those that have agents.
func (s *secrets) workspaces() (all []string) {
	for _, a := range s.Accounts {
		if !slices.Contains(all, a.Workspace) {
			all = append(all, a.Workspace)
		}
	}
	return all
}

func (s *secrets) agents(workspace string) []string {
	var names []string
	for _, a := range s.Accounts {
		if a.Workspace == workspace {
			names = append(names, a.Name)
		}
	}
	return names
}

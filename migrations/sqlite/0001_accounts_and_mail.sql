-- Accounts, their sessions, the books they own, and the outbox of their mail.

CREATE TABLE users (
    uid             BLOB PRIMARY KEY,
    username        TEXT NOT NULL,
    email           TEXT NOT NULL,                 -- as typed: this is what is mailed
    email_canonical TEXT NOT NULL,                 -- what makes two spellings one mailbox
    first_name      TEXT NOT NULL,
    last_name       TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('admin', 'user')),
    is_verified     INTEGER NOT NULL DEFAULT 0,
    password_hash   TEXT NOT NULL,                 -- PHC string
    auth_version    INTEGER NOT NULL DEFAULT 0,     -- bumped by every change of password, e-mail or role
    auth_changed_at TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    update_at       TEXT NOT NULL,
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical)
) STRICT;

CREATE TABLE sessions (
    sid        BLOB PRIMARY KEY,
    user_uid   BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_uid);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed logins by submitted address, known or not. `network` is empty for everybody's common count, or a network
-- that the account logged in from: there it has a count of its own, so that others' guesses do not lock it out.
CREATE TABLE login_failures (
    mailbox        TEXT NOT NULL,
    network        TEXT NOT NULL,
    failures       INTEGER NOT NULL,
    last_failed_at TEXT NOT NULL,
    PRIMARY KEY (mailbox, network)
) STRICT;
CREATE INDEX login_failures_age ON login_failures (last_failed_at);

CREATE TABLE login_networks (
    mailbox       TEXT NOT NULL,
    network       TEXT NOT NULL,
    last_login_at TEXT NOT NULL,
    PRIMARY KEY (mailbox, network)
) STRICT;
CREATE INDEX login_networks_age ON login_networks (last_login_at);

CREATE TABLE books (
    uid            BLOB PRIMARY KEY,
    title          TEXT NOT NULL,
    author         TEXT NOT NULL,
    publisher      TEXT NOT NULL,
    published_date TEXT NOT NULL,
    page_count     INTEGER NOT NULL,
    language       TEXT NOT NULL,
    user_uid       BLOB REFERENCES users (uid) ON DELETE SET NULL,
    created_at     TEXT NOT NULL,
    update_at      TEXT NOT NULL
) STRICT;
CREATE INDEX books_newest ON books (created_at DESC, uid);
CREATE INDEX books_owner ON books (user_uid, created_at DESC);

-- The outbox. Written in the transaction of the account change that wants the mail; no token and no link ever stands here.
CREATE TABLE emails (
    id           BLOB PRIMARY KEY,                 -- UUIDv7; the Message-ID is made from it
    kind         TEXT NOT NULL,                    -- no CHECK: a newer version may queue kinds that this one leaves alone
    recipient    TEXT NOT NULL,
    mailbox      TEXT NOT NULL,                    -- the recipient's canonical form
    user_uid     BLOB,                             -- no reference: a mail outlives its account, to be cancelled
    context      TEXT NOT NULL,
    request_id   TEXT,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    attempts     INTEGER NOT NULL DEFAULT 0,
    fence        INTEGER NOT NULL DEFAULT 0,        -- grows with every claim; a worker's writes hold only for its own
    lost_leases  INTEGER NOT NULL DEFAULT 0,
    lost_answers INTEGER NOT NULL DEFAULT 0,
    due_at       TEXT NOT NULL,
    deadline_at  TEXT NOT NULL,
    rung_at      TEXT,
    lease_until  TEXT,
    worker       TEXT,
    last_error   TEXT,
    reply        TEXT,                             -- the mail server's words to the mail it accepted
    created_at   TEXT NOT NULL,
    closed_at    TEXT
) STRICT;
-- Partial, so that a million closed rows cost the claim and the relay nothing.
CREATE INDEX emails_open ON emails (due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX emails_closed ON emails (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX emails_mailbox ON emails (mailbox, created_at);

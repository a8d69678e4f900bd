-- Accounts, their sessions, the books they own, and the outbox of their mail.

CREATE TABLE users (
    uid             uuid PRIMARY KEY,
    username        text NOT NULL,
    email           text NOT NULL,                 -- as typed: this is what is mailed
    email_canonical text NOT NULL,                 -- what makes two spellings one mailbox
    first_name      text NOT NULL,
    last_name       text NOT NULL,
    role            text NOT NULL CHECK (role IN ('admin', 'user')),
    is_verified     boolean NOT NULL DEFAULT false,
    password_hash   text NOT NULL,                 -- PHC string
    auth_version    bigint NOT NULL DEFAULT 0,     -- bumped by every change of password, e-mail or role
    auth_changed_at timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    update_at       timestamptz NOT NULL,
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical)
);

CREATE TABLE sessions (
    sid        uuid PRIMARY KEY,
    user_uid   uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_uid);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed logins by submitted address, known or not. `network` is empty for everybody's common count, or a network
-- that the account logged in from: there it has a count of its own, so that others' guesses do not lock it out.
CREATE TABLE login_failures (
    mailbox        text NOT NULL,
    network        text NOT NULL,
    failures       integer NOT NULL,
    last_failed_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox, network)
);
CREATE INDEX login_failures_age ON login_failures (last_failed_at);

CREATE TABLE login_networks (
    mailbox       text NOT NULL,
    network       text NOT NULL,
    last_login_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox, network)
);
CREATE INDEX login_networks_age ON login_networks (last_login_at);

CREATE TABLE books (
    uid            uuid PRIMARY KEY,
    title          text NOT NULL,
    author         text NOT NULL,
    publisher      text NOT NULL,
    published_date date NOT NULL,
    page_count     integer NOT NULL,
    language       text NOT NULL,
    user_uid       uuid REFERENCES users (uid) ON DELETE SET NULL,
    created_at     timestamptz NOT NULL,
    update_at      timestamptz NOT NULL
);
CREATE INDEX books_newest ON books (created_at DESC, uid);
CREATE INDEX books_owner ON books (user_uid, created_at DESC);

-- The outbox. Written in the transaction of the account change that wants the mail; no token and no link ever stands here.
CREATE TABLE emails (
    id           uuid PRIMARY KEY,                 -- UUIDv7; the Message-ID is made from it
    kind         text NOT NULL,                    -- no CHECK: a newer version may queue kinds that this one leaves alone
    recipient    text NOT NULL,
    mailbox      text NOT NULL,                    -- the recipient's canonical form
    user_uid     uuid,                             -- no reference: a mail outlives its account, to be cancelled
    context      jsonb NOT NULL,
    request_id   text,
    state        text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled')),
    attempts     integer NOT NULL DEFAULT 0,
    fence        bigint NOT NULL DEFAULT 0,        -- grows with every claim; a worker's writes hold only for its own
    lost_leases  integer NOT NULL DEFAULT 0,
    lost_answers integer NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    deadline_at  timestamptz NOT NULL,
    rung_at      timestamptz,
    lease_until  timestamptz,
    worker       text,
    last_error   text,
    reply        text,                             -- the mail server's words to the mail it accepted
    created_at   timestamptz NOT NULL,
    closed_at    timestamptz
);
-- Partial, so that a million closed rows cost the claim and the relay nothing.
CREATE INDEX emails_open ON emails (due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX emails_closed ON emails (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX emails_mailbox ON emails (mailbox, created_at);

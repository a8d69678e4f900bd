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
    locale          TEXT,                          -- the canonical BCP 47 tag that was asked for; NULL: not known
    created_at      TEXT NOT NULL,
    update_at       TEXT NOT NULL,
    -- Rows that others insert count as imported: only accounts made by sign-up are ever replaced, deleted or purged.
    created_via     TEXT NOT NULL DEFAULT 'import' CHECK (created_via IN ('sign_up', 'invitation', 'import', 'operator')),
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical)
) STRICT;

-- Unverified accounts, which are deleted after a time.
CREATE INDEX users_unverified ON users (created_at) WHERE NOT is_verified;

CREATE TABLE sessions (
    sid        BLOB PRIMARY KEY,
    user_uid   BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_uid);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed logins by submitted address, known or not. `network` is empty for the common count of all networks, or a network
-- that the account logged in from: it has a separate count there, so that others' guesses do not lock it out.
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

-- Completed changes of an address. The old mailbox can undo each of them for 72 hours, and until then no other account
-- can get the old address.
CREATE TABLE email_changes (
    id           BLOB PRIMARY KEY,                 -- in the link that undoes the change
    user_uid     BLOB NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    old_email    TEXT NOT NULL,
    old_mailbox  TEXT NOT NULL,                    -- its canonical form
    auth_version INTEGER NOT NULL,                 -- the account's after the change: the order of an account's changes
    changed_at   TEXT NOT NULL,
    ended_at     TEXT                              -- when this change or an earlier one was undone
) STRICT;
CREATE INDEX email_changes_mailbox ON email_changes (old_mailbox);
CREATE INDEX email_changes_user ON email_changes (user_uid);
CREATE INDEX email_changes_age ON email_changes (changed_at);

-- Sign-ups and address changes by mailbox, without the `+` and what follows it.
CREATE TABLE base_mailbox_counts (
    base_mailbox    TEXT PRIMARY KEY,
    counted_at      TEXT NOT NULL,                 -- when each was counted, the newest last; as many as the limit: JSON
    last_counted_at TEXT NOT NULL
) STRICT;
CREATE INDEX base_mailbox_counts_age ON base_mailbox_counts (last_counted_at);

-- Wrong codes by submitted address, known or not; for a change of address by the account's id. The count starts again
-- an hour after its last wrong code.
CREATE TABLE code_tries (
    subject       TEXT PRIMARY KEY,
    tries         INTEGER NOT NULL,
    last_tried_at TEXT NOT NULL
) STRICT;
CREATE INDEX code_tries_age ON code_tries (last_tried_at);

-- Wrong codes that were compared with an email's. No column of `emails`, and no reference: a lock on a row of `emails`
-- would keep workers from it.
CREATE TABLE email_code_tries (
    email_id      BLOB PRIMARY KEY,
    tries         INTEGER NOT NULL,
    last_tried_at TEXT NOT NULL
) STRICT;
CREATE INDEX email_code_tries_age ON email_code_tries (last_tried_at);

-- The answers to requests with an `Idempotency-Key`, for 24 hours. They hold no token, link, code or password.
CREATE TABLE idempotency_keys (
    caller      TEXT NOT NULL,                     -- the account, else the client's network
    operation   TEXT NOT NULL,                     -- method and path
    key         TEXT NOT NULL,
    body_mac    BLOB NOT NULL,                     -- the body's, under a key derived from the link secret
    reservation BLOB NOT NULL,                     -- the request that has the key; writes of an earlier one have no effect
    reserved_at TEXT NOT NULL,
    status      INTEGER,                           -- NULL while the request is under way
    headers     TEXT,
    body        TEXT,
    PRIMARY KEY (caller, operation, key)
) STRICT;
-- The newest keys of a caller.
CREATE INDEX idempotency_keys_caller ON idempotency_keys (caller, reserved_at);
CREATE INDEX idempotency_keys_age ON idempotency_keys (reserved_at);

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

-- The outbox. A row is written in the transaction of the account change that causes the email. No token, link or
-- password is ever stored here.
CREATE TABLE emails (
    id            BLOB PRIMARY KEY,                -- UUIDv7; the Message-ID is made from it
    kind          TEXT NOT NULL,                   -- no CHECK: a newer version may queue kinds that this one does not know
    priority      INTEGER NOT NULL GENERATED ALWAYS AS (
                      CASE kind
                          WHEN 'welcome' THEN 3
                          WHEN 'password_changed' THEN 2
                          WHEN 'email_change_requested' THEN 2
                          WHEN 'email_changed' THEN 2
                          ELSE 1
                      END) STORED,                 -- the order of claims: 1 somebody waits for it, 2 notices, 3 bulk
    recipient     TEXT NOT NULL,
    mailbox       TEXT NOT NULL,                   -- the recipient's canonical form
    user_uid      BLOB,                            -- no reference: an email outlives its account, to be cancelled
    auth_version  INTEGER,                         -- the account's when the email was caused; a link that works once carries it
    context       TEXT NOT NULL,
    request_id    TEXT,
    traceparent   TEXT,                            -- the W3C trace context of the request that asked for it
    state         TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled', 'bounced', 'complained')),
    attempts      INTEGER NOT NULL DEFAULT 0,
    fencing_token INTEGER NOT NULL DEFAULT 0,      -- grows with every claim; writes of an older claim have no effect
    lost_leases   INTEGER NOT NULL DEFAULT 0,      -- workers that were lost while they had this email
    lost_answers  INTEGER NOT NULL DEFAULT 0,      -- transmissions whose answer was lost
    may_be_taken  INTEGER NOT NULL DEFAULT 0,      -- before `mail retry`: a mail server may have accepted an earlier copy
    bound_to      TEXT,                            -- first, fallback: the mail server that alone gets the next copy
    due_at        TEXT NOT NULL,
    deadline_at   TEXT NOT NULL,
    enqueued_at   TEXT,                            -- when a job for this row was last pushed; NULL: maintenance pushes one
    claimed_at    TEXT,                            -- when the current or last attempt began
    lease_until   TEXT,
    worker        TEXT,
    last_error    TEXT,
    reply         TEXT,                            -- the mail server's reply to the accepted message
    created_at    TEXT NOT NULL,
    closed_at     TEXT
) STRICT;
-- The order of claims. It also holds what is counted of the waiting rows, so that counting a million does not read them.
CREATE INDEX emails_due ON emails (priority, due_at, created_at, deadline_at, kind) WHERE state = 'queued';
-- The order in which lost leases are rescued.
CREATE INDEX emails_leased ON emails (lease_until) WHERE state = 'sending';
CREATE INDEX emails_closed ON emails (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX emails_mailbox ON emails (mailbox, created_at);
-- The emails whose code an account may enter for its new address.
CREATE INDEX emails_changes ON emails (user_uid, claimed_at) WHERE kind = 'change_email';
-- What an operator lists.
CREATE INDEX emails_given_up ON emails (state, id) WHERE state IN ('failed', 'cancelled', 'bounced', 'complained');

-- Every attempt to deliver an email.
CREATE TABLE email_attempts (
    email_id      BLOB NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    fencing_token INTEGER NOT NULL,                -- the claim's: one attempt per claim
    worker        TEXT NOT NULL,
    outcome       TEXT NOT NULL,                   -- sent, retried, failed, cancelled, lease_lost, worker_lost, database_away
    smtp_code     INTEGER,                         -- NULL when the server did not answer
    reply         TEXT,                            -- the server's reply, or what went wrong without one
    server        TEXT,                            -- first, fallback: the mail server; NULL without a fallback
    started_at    TEXT NOT NULL,
    duration_ms   INTEGER,                         -- NULL when the worker was lost
    PRIMARY KEY (email_id, fencing_token)
) STRICT;
-- Partial, so that an email that is sent at the first attempt costs nothing here.
CREATE INDEX email_attempts_trouble ON email_attempts (started_at) WHERE outcome <> 'sent';

-- Mailboxes that get no email, or no bulk email. Each reason is a separate entry.
CREATE TABLE suppressions (
    mailbox    TEXT NOT NULL,                      -- canonical, with its `+tag`: as in `emails`
    reason     TEXT NOT NULL,                      -- bounce, operator, complaint, unsubscribe
    source     TEXT NOT NULL,                      -- who said so
    created_at TEXT NOT NULL,
    until      TEXT,                               -- NULL: no end
    PRIMARY KEY (mailbox, reason)
) STRICT;
CREATE INDEX suppressions_newest ON suppressions (created_at DESC, mailbox, reason);
CREATE INDEX suppressions_end ON suppressions (until) WHERE until IS NOT NULL;
-- The bounces that an email may lift.
CREATE INDEX suppressions_bounces ON suppressions (mailbox, created_at) WHERE reason = 'bounce';

-- The last reset and the last verification that were sent in spite of a bounce. Each may be sent once a day.
CREATE TABLE suppression_passes (
    mailbox   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    email_id  BLOB NOT NULL,                       -- its further attempts pass, too
    passed_at TEXT NOT NULL,
    PRIMARY KEY (mailbox, kind)
) STRICT;
CREATE INDEX suppression_passes_age ON suppression_passes (passed_at);

-- What receivers and providers report of an email after it was accepted.
CREATE TABLE email_reports (
    id          BLOB NOT NULL,                     -- UUIDv7: the order of the reports
    email_id    BLOB NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    outcome     TEXT NOT NULL,                     -- bounced, soft_bounced, delayed, complained
    source      TEXT NOT NULL,                     -- postmark, mailgun, sendgrid, resend, or dsn for a report by email
    reply       TEXT NOT NULL,                     -- the reporter's words
    reported_at TEXT NOT NULL,
    PRIMARY KEY (email_id, id)
) STRICT;

-- Reports that had an effect, by a hash of the reporter's own id, so that a report that is sent again has none.
CREATE TABLE report_marks (
    mark        BLOB PRIMARY KEY,
    marked_at   TEXT NOT NULL
) STRICT;
CREATE INDEX report_marks_age ON report_marks (marked_at);

-- The circuit state of each worker for each mail server, for the operator's page.
CREATE TABLE mail_servers (
    worker      TEXT NOT NULL,                     -- the worker process
    server      TEXT NOT NULL,                     -- first, fallback
    address     TEXT NOT NULL,                     -- host and port
    circuit     TEXT NOT NULL,                     -- closed, open, half_open: of this worker for this server
    since       TEXT NOT NULL,
    seen_at     TEXT NOT NULL,                     -- a worker that is gone is not shown any more
    PRIMARY KEY (worker, server)
) STRICT;

-- What the readiness probe writes, and removes at once, after the disk was full.
CREATE TABLE write_trials (
    filler      BLOB NOT NULL
) STRICT;

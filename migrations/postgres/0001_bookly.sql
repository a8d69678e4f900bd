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
    locale          text,                          -- the canonical BCP 47 tag that was asked for; NULL: not known
    created_at      timestamptz NOT NULL,
    update_at       timestamptz NOT NULL,
    -- Rows that others insert count as imported: only accounts made by sign-up are ever replaced, deleted or purged.
    created_via     text NOT NULL DEFAULT 'import' CHECK (created_via IN ('sign_up', 'invitation', 'import', 'operator')),
    CONSTRAINT users_email_canonical_key UNIQUE (email_canonical)
);

-- Unverified accounts, which are deleted after a time.
CREATE INDEX users_unverified ON users (created_at) WHERE NOT is_verified;

CREATE TABLE sessions (
    sid        uuid PRIMARY KEY,
    user_uid   uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_uid);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Failed logins by submitted address, known or not. `network` is empty for the common count of all networks, or a network
-- that the account logged in from: it has a separate count there, so that others' guesses do not lock it out.
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

-- Completed changes of an address. The old mailbox can undo each of them for 72 hours, and until then no other account
-- can get the old address.
CREATE TABLE email_changes (
    id           uuid PRIMARY KEY,                 -- in the link that undoes the change
    user_uid     uuid NOT NULL REFERENCES users (uid) ON DELETE CASCADE,
    old_email    text NOT NULL,
    old_mailbox  text NOT NULL,                    -- its canonical form
    auth_version bigint NOT NULL,                  -- the account's after the change: the order of an account's changes
    changed_at   timestamptz NOT NULL,
    ended_at     timestamptz                       -- when this change or an earlier one was undone
);
CREATE INDEX email_changes_mailbox ON email_changes (old_mailbox);
CREATE INDEX email_changes_user ON email_changes (user_uid);
CREATE INDEX email_changes_age ON email_changes (changed_at);

-- Sign-ups and address changes by mailbox, without the `+` and what follows it.
CREATE TABLE base_mailbox_counts (
    base_mailbox    text PRIMARY KEY,
    counted_at      timestamptz[] NOT NULL,        -- when each was counted, the newest last; as many as the limit
    last_counted_at timestamptz NOT NULL
);
CREATE INDEX base_mailbox_counts_age ON base_mailbox_counts (last_counted_at);

-- Wrong codes by submitted address, known or not; for a change of address by the account's id. The count starts again
-- an hour after its last wrong code.
CREATE TABLE code_tries (
    subject       text PRIMARY KEY,
    tries         integer NOT NULL,
    last_tried_at timestamptz NOT NULL
);
CREATE INDEX code_tries_age ON code_tries (last_tried_at);

-- Wrong codes that were compared with an email's. No column of `emails`, and no reference: a lock on a row of `emails`
-- would keep workers from it.
CREATE TABLE email_code_tries (
    email_id      uuid PRIMARY KEY,
    tries         integer NOT NULL,
    last_tried_at timestamptz NOT NULL
);
CREATE INDEX email_code_tries_age ON email_code_tries (last_tried_at);

-- The answers to requests with an `Idempotency-Key`, for 24 hours. They hold no token, link, code or password.
CREATE TABLE idempotency_keys (
    caller      text NOT NULL,                     -- the account, else the client's network
    operation   text NOT NULL,                     -- method and path
    key         text NOT NULL,
    body_mac    bytea NOT NULL,                    -- the body's, under a key derived from the link secret
    reservation uuid NOT NULL,                     -- the request that has the key; writes of an earlier one have no effect
    reserved_at timestamptz NOT NULL,
    status      integer,                           -- NULL while the request is under way
    headers     jsonb,
    body        text,
    PRIMARY KEY (caller, operation, key)
);
-- The newest keys of a caller.
CREATE INDEX idempotency_keys_caller ON idempotency_keys (caller, reserved_at);
CREATE INDEX idempotency_keys_age ON idempotency_keys (reserved_at);

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

-- The outbox. A row is written in the transaction of the account change that causes the email. No token, link or
-- password is ever stored here.
CREATE TABLE emails (
    id            uuid PRIMARY KEY,                -- UUIDv7; the Message-ID is made from it
    kind          text NOT NULL,                   -- no CHECK: a newer version may queue kinds that this one does not know
    priority      smallint NOT NULL GENERATED ALWAYS AS (
                      CASE kind
                          WHEN 'welcome' THEN 3
                          WHEN 'password_changed' THEN 2
                          WHEN 'email_change_requested' THEN 2
                          WHEN 'email_changed' THEN 2
                          ELSE 1
                      END) STORED,                 -- the order of claims: 1 somebody waits for it, 2 notices, 3 bulk
    recipient     text NOT NULL,
    mailbox       text NOT NULL,                   -- the recipient's canonical form
    user_uid      uuid,                            -- no reference: an email outlives its account, to be cancelled
    auth_version  bigint,                          -- the account's when the email was caused; a link that works once carries it
    context       jsonb NOT NULL,
    request_id    text,
    traceparent   text,                            -- the W3C trace context of the request that asked for it
    state         text NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'cancelled', 'bounced', 'complained')),
    attempts      integer NOT NULL DEFAULT 0,
    fencing_token bigint NOT NULL DEFAULT 0,       -- grows with every claim; writes of an older claim have no effect
    lost_leases   integer NOT NULL DEFAULT 0,      -- workers that were lost while they had this email
    lost_answers  integer NOT NULL DEFAULT 0,      -- transmissions whose answer was lost
    may_be_taken  boolean NOT NULL DEFAULT false,  -- before `mail retry`: a mail server may have accepted an earlier copy
    bound_to      text,                            -- first, fallback: the mail server that alone gets the next copy
    due_at        timestamptz NOT NULL,
    deadline_at   timestamptz NOT NULL,
    enqueued_at   timestamptz,                     -- when a job for this row was last pushed; NULL: maintenance pushes one
    claimed_at    timestamptz,                     -- when the current or last attempt began
    lease_until   timestamptz,
    worker        text,
    last_error    text,
    reply         text,                            -- the mail server's reply to the accepted message
    created_at    timestamptz NOT NULL,
    closed_at     timestamptz
);
-- The order of claims. It also holds what is counted of the waiting rows, so that counting a million does not read them.
CREATE INDEX emails_due ON emails (priority, due_at) INCLUDE (created_at, deadline_at, kind) WHERE state = 'queued';
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
    email_id      uuid NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    fencing_token bigint NOT NULL,                 -- the claim's: one attempt per claim
    worker        text NOT NULL,
    outcome       text NOT NULL,                   -- sent, retried, failed, cancelled, lease_lost, worker_lost, database_away
    smtp_code     integer,                         -- NULL when the server did not answer
    reply         text,                            -- the server's reply, or what went wrong without one
    server        text,                            -- first, fallback: the mail server; NULL without a fallback
    started_at    timestamptz NOT NULL,
    duration_ms   bigint,                          -- NULL when the worker was lost
    PRIMARY KEY (email_id, fencing_token)
);
-- Partial, so that an email that is sent at the first attempt costs nothing here.
CREATE INDEX email_attempts_trouble ON email_attempts (started_at) WHERE outcome <> 'sent';

-- Mailboxes that get no email, or no bulk email. Each reason is a separate entry.
CREATE TABLE suppressions (
    mailbox    text NOT NULL,                      -- canonical, with its `+tag`: as in `emails`
    reason     text NOT NULL,                      -- bounce, operator, complaint, unsubscribe
    source     text NOT NULL,                      -- who said so
    created_at timestamptz NOT NULL,
    until      timestamptz,                        -- NULL: no end
    PRIMARY KEY (mailbox, reason)
);
CREATE INDEX suppressions_newest ON suppressions (created_at DESC, mailbox, reason);
CREATE INDEX suppressions_end ON suppressions (until) WHERE until IS NOT NULL;
-- The bounces that an email may lift.
CREATE INDEX suppressions_bounces ON suppressions (mailbox, created_at) WHERE reason = 'bounce';

-- The last reset and the last verification that were sent in spite of a bounce. Each may be sent once a day.
CREATE TABLE suppression_passes (
    mailbox   text NOT NULL,
    kind      text NOT NULL,
    email_id  uuid NOT NULL,                       -- its further attempts pass, too
    passed_at timestamptz NOT NULL,
    PRIMARY KEY (mailbox, kind)
);
CREATE INDEX suppression_passes_age ON suppression_passes (passed_at);

-- What receivers and providers report of an email after it was accepted.
CREATE TABLE email_reports (
    id          uuid NOT NULL,                     -- UUIDv7: the order of the reports
    email_id    uuid NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    outcome     text NOT NULL,                     -- bounced, soft_bounced, delayed, complained
    source      text NOT NULL,                     -- postmark, mailgun, sendgrid, resend, or dsn for a report by email
    reply       text NOT NULL,                     -- the reporter's words
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (email_id, id)
);

-- Reports that had an effect, by a hash of the reporter's own id, so that a report that is sent again has none.
CREATE TABLE report_marks (
    mark        bytea PRIMARY KEY,
    marked_at   timestamptz NOT NULL
);
CREATE INDEX report_marks_age ON report_marks (marked_at);

-- The circuit state of each worker for each mail server, for the operator's page.
CREATE TABLE mail_servers (
    worker      text NOT NULL,                     -- the worker process
    server      text NOT NULL,                     -- first, fallback
    address     text NOT NULL,                     -- host and port
    circuit     text NOT NULL,                     -- closed, open, half_open: of this worker for this server
    since       timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,              -- a worker that is gone is not shown any more
    PRIMARY KEY (worker, server)
);

-- What the readiness probe writes, and removes at once, after the disk was full.
CREATE TABLE write_trials (
    filler      bytea NOT NULL
);

-- The process that runs maintenance. Without a row, or after `lease_until`, any process may take its place.
CREATE TABLE leader (
    task        text PRIMARY KEY,
    holder      uuid NOT NULL,                     -- new for each leadership
    lease_until timestamptz NOT NULL
);

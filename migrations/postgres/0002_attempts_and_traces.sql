-- Every attempt to send a mail, for whoever asks where it is.

ALTER TABLE emails ADD COLUMN claimed_at timestamptz;   -- when the attempt began that has, or had, this mail last
ALTER TABLE emails ADD COLUMN traceparent text;         -- the W3C trace context of the request that asked for it

CREATE TABLE email_attempts (
    email_id    uuid NOT NULL REFERENCES emails (id) ON DELETE CASCADE,
    fence       bigint NOT NULL,                 -- the claim's number: one attempt a claim
    worker      text NOT NULL,
    outcome     text NOT NULL,                   -- sent, retried, failed, cancelled, lease_lost, worker_lost, database_away
    smtp_code   integer,                         -- none when the server did not come to answer
    words       text,                            -- the server's, or what went wrong
    started_at  timestamptz NOT NULL,
    duration_ms bigint,                          -- none when the worker was lost: nobody knows when
    PRIMARY KEY (email_id, fence)
);
-- Partial, so that a mail that goes out at once costs it nothing.
CREATE INDEX email_attempts_trouble ON email_attempts (started_at) WHERE outcome <> 'sent';
-- What an operator lists; neither state is on a mail's usual way.
CREATE INDEX emails_given_up ON emails (state, id) WHERE state IN ('failed', 'cancelled');

-- Claims take the longest due rows, leases that ran out are freed by the relay: an index in the order of each. What is
-- counted and swept of the waiting rows stands in it as well, so that a million of them need not be read for it.

CREATE INDEX emails_due ON emails (due_at) INCLUDE (created_at, deadline_at, kind) WHERE state = 'queued';
CREATE INDEX emails_leased ON emails (lease_until) WHERE state = 'sending';
DROP INDEX emails_open;

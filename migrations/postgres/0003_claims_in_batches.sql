-- Claims take the longest due rows, leases that ran out are freed by the relay: an index in the order of each.

CREATE INDEX emails_due ON emails (due_at) WHERE state = 'queued';
CREATE INDEX emails_leased ON emails (lease_until) WHERE state = 'sending';
DROP INDEX emails_open;

-- What is kept for so long and no longer is found by its date.

ALTER TABLE instances ADD COLUMN ended BIGINT;
UPDATE instances SET ended = last_contact WHERE state IN ('deregistered', 'removed');
CREATE INDEX instances_ended ON instances (ended) WHERE ended IS NOT NULL;
CREATE INDEX instances_pending ON instances (registered) WHERE state = 'pending';
CREATE INDEX usage_reports_received ON usage_reports (received);
CREATE INDEX registration_tokens_expires ON registration_tokens (expires);
CREATE INDEX alerts_cleared ON alerts (cleared) WHERE cleared IS NOT NULL;
CREATE INDEX api_tokens_revoked ON api_tokens (revoked) WHERE revoked IS NOT NULL;

-- Times are milliseconds since 1970-01-01 UTC; `at` and `created` by the wall clock, all others by the calendar, which in
-- the lab runs faster. Booleans are 0 or 1. Digests are SHA-256.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE tags (
    id  INTEGER PRIMARY KEY,
    tag TEXT NOT NULL UNIQUE
);

CREATE TABLE smart_accounts (
    id         INTEGER PRIMARY KEY,
    domain     TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    terms_at   BIGINT,
    terms_by   TEXT,
    created    BIGINT NOT NULL
);

-- A number is never given again: what is kept of a virtual account that was removed is nobody's.
CREATE TABLE virtual_accounts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    account     BIGINT NOT NULL REFERENCES smart_accounts (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    is_default  BIGINT NOT NULL,
    created     BIGINT NOT NULL,
    UNIQUE (account, name)
);
CREATE UNIQUE INDEX virtual_accounts_default ON virtual_accounts (account) WHERE is_default = 1;

-- What is owned. Entries of the same terms are one row.
CREATE TABLE licenses (
    id           INTEGER PRIMARY KEY,
    va           BIGINT NOT NULL REFERENCES virtual_accounts (id),
    tag          BIGINT NOT NULL REFERENCES tags (id),
    quantity     BIGINT NOT NULL,
    license_type TEXT NOT NULL,
    starts       BIGINT NOT NULL,
    ends         BIGINT,
    subscription TEXT NOT NULL,
    billing      TEXT NOT NULL,
    created      BIGINT NOT NULL
);
CREATE INDEX licenses_pool ON licenses (va, tag);
CREATE INDEX licenses_ends ON licenses (ends) WHERE ends IS NOT NULL;
CREATE INDEX licenses_starts ON licenses (starts);

-- One row a virtual account and tag: settings, and sums over the rows of `demands`, kept as these change.
CREATE TABLE pools (
    va        BIGINT NOT NULL REFERENCES virtual_accounts (id),
    tag       BIGINT NOT NULL REFERENCES tags (id),
    grants    BIGINT NOT NULL DEFAULT 1,
    in_use    BIGINT NOT NULL DEFAULT 0,
    requested BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (va, tag)
);

-- Sums of what is out, by the date on which it ends (never: the greatest number); one row a date that licenses end on.
CREATE TABLE outstanding (
    va       BIGINT NOT NULL,
    tag      BIGINT NOT NULL,
    ends     BIGINT NOT NULL,
    licenses BIGINT NOT NULL,
    PRIMARY KEY (va, tag, ends)
);

CREATE TABLE instances (
    id           INTEGER PRIMARY KEY,
    piid         TEXT NOT NULL UNIQUE,
    account      BIGINT NOT NULL REFERENCES smart_accounts (id),
    va           BIGINT NOT NULL REFERENCES virtual_accounts (id),
    udi_pid      TEXT NOT NULL,
    udi_sn       TEXT NOT NULL,
    hostname     TEXT NOT NULL,
    product      TEXT NOT NULL,
    version      TEXT NOT NULL,
    public_key   BLOB NOT NULL,
    state        TEXT NOT NULL,
    token        BIGINT,
    replaces     BIGINT,
    registered   BIGINT NOT NULL,
    renewed      BIGINT,
    last_contact BIGINT NOT NULL,
    last_sent    BIGINT NOT NULL DEFAULT 0,
    last_report  BIGINT,
    last_digest  BLOB,
    forked       BIGINT NOT NULL DEFAULT 0,
    gaps         BIGINT NOT NULL DEFAULT 0,
    silent       BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX instances_device ON instances (account, udi_pid, udi_sn) WHERE state = 'registered';
CREATE INDEX instances_udi ON instances (account, udi_pid, udi_sn);
CREATE INDEX instances_key ON instances (public_key);
CREATE INDEX instances_va ON instances (va, id);
CREATE INDEX instances_account ON instances (account, id);
CREATE INDEX instances_contact ON instances (last_contact) WHERE state = 'registered' AND silent = 0;

CREATE TABLE certificates (
    serial   TEXT PRIMARY KEY NOT NULL,
    instance BIGINT NOT NULL REFERENCES instances (id),
    ends     BIGINT NOT NULL,
    revoked  BIGINT
);
CREATE INDEX certificates_instance ON certificates (instance);
CREATE INDEX certificates_revoked ON certificates (ends) WHERE revoked IS NOT NULL;

-- What an instance uses of a tag, wants and holds.
CREATE TABLE demands (
    instance  BIGINT NOT NULL REFERENCES instances (id),
    tag       BIGINT NOT NULL REFERENCES tags (id),
    in_use    BIGINT NOT NULL,
    requested BIGINT NOT NULL,
    granted   BIGINT,
    out       BIGINT NOT NULL,
    ends      BIGINT NOT NULL,
    PRIMARY KEY (instance, tag)
) WITHOUT ROWID;

CREATE TABLE registration_tokens (
    id          INTEGER PRIMARY KEY,
    va          BIGINT NOT NULL REFERENCES virtual_accounts (id),
    digest      BLOB NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created     BIGINT NOT NULL,
    created_by  TEXT NOT NULL,
    expires     BIGINT NOT NULL,
    uses_max    BIGINT NOT NULL,
    uses        BIGINT NOT NULL DEFAULT 0,
    revoked     BIGINT
);
CREATE INDEX registration_tokens_va ON registration_tokens (va, id);

CREATE TABLE usage_reports (
    instance    BIGINT NOT NULL REFERENCES instances (id),
    number      BIGINT NOT NULL,
    digest      BLOB NOT NULL,
    received    BIGINT NOT NULL,
    starts      BIGINT NOT NULL,
    ends        BIGINT NOT NULL,
    interval_ms BIGINT NOT NULL,
    text        TEXT NOT NULL,
    PRIMARY KEY (instance, number)
);

-- Sums over the entries of `usage_reports`, by instance, virtual account at the time and tag. License-milliseconds pass
-- the greatest number of 64 bits after 292 million license-years.
CREATE TABLE usage_sums (
    instance   BIGINT NOT NULL REFERENCES instances (id),
    va         BIGINT NOT NULL,
    tag        TEXT NOT NULL,
    reports    BIGINT NOT NULL,
    license_ms BIGINT NOT NULL,
    peak       BIGINT NOT NULL,
    PRIMARY KEY (instance, va, tag)
) WITHOUT ROWID;
CREATE INDEX usage_sums_va ON usage_sums (va, tag);

CREATE TABLE nonces (
    instance BIGINT NOT NULL,
    nonce    TEXT NOT NULL,
    expires  BIGINT NOT NULL,
    PRIMARY KEY (instance, nonce)
) WITHOUT ROWID;
CREATE INDEX nonces_expires ON nonces (expires);

CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    at       BIGINT NOT NULL,
    calendar BIGINT NOT NULL,
    account  BIGINT NOT NULL,
    va       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    message  TEXT NOT NULL
);
CREATE INDEX events_account ON events (account, id);
CREATE INDEX events_va ON events (va, id);

CREATE TABLE alerts (
    id       INTEGER PRIMARY KEY,
    account  BIGINT NOT NULL,
    va       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    severity TEXT NOT NULL,
    subject  TEXT NOT NULL,
    needed   BIGINT,
    message  TEXT NOT NULL,
    raised   BIGINT NOT NULL,
    cleared  BIGINT
);
CREATE UNIQUE INDEX alerts_outstanding ON alerts (va, kind, subject) WHERE cleared IS NULL;
CREATE INDEX alerts_account ON alerts (account, id);

CREATE TABLE users (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    created  BIGINT NOT NULL,
    disabled BIGINT NOT NULL DEFAULT 0
);

-- `va` is 0 for a role of the whole account.
CREATE TABLE roles (
    user_id BIGINT NOT NULL REFERENCES users (id),
    account BIGINT NOT NULL REFERENCES smart_accounts (id),
    va      BIGINT NOT NULL,
    role    TEXT NOT NULL,
    PRIMARY KEY (user_id, account, va)
);
CREATE INDEX roles_account ON roles (account);

CREATE TABLE api_tokens (
    id      INTEGER PRIMARY KEY,
    user_id BIGINT NOT NULL REFERENCES users (id),
    digest  BLOB NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    session BIGINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    revoked BIGINT
);
CREATE INDEX api_tokens_user ON api_tokens (user_id, id);
CREATE INDEX api_tokens_expires ON api_tokens (expires);

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      BIGINT NOT NULL,
    account BIGINT NOT NULL,
    va      BIGINT NOT NULL,
    who     TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    before  TEXT,
    after   TEXT
);
CREATE INDEX audit_account ON audit (account, id);

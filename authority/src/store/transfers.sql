-- What moved between virtual accounts of a Smart Account, a row an item: licenses (object: their name), or an instance
-- (object: its identifier). Names of virtual accounts are those of the time.
CREATE TABLE transfers (
    id          INTEGER PRIMARY KEY,
    at          BIGINT NOT NULL,
    account     BIGINT NOT NULL,
    who         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    object      TEXT NOT NULL,
    quantity    BIGINT NOT NULL,
    source      BIGINT NOT NULL,
    source_name TEXT NOT NULL,
    target      BIGINT NOT NULL,
    target_name TEXT NOT NULL
);
CREATE INDEX transfers_account ON transfers (account, id);

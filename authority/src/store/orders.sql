-- What is ordered: for a virtual account (instance 0), or for an instance (va 0); one of a kind a tag.
CREATE TABLE orders (
    id        INTEGER PRIMARY KEY,
    va        BIGINT NOT NULL,
    instance  BIGINT NOT NULL,
    tag       BIGINT NOT NULL REFERENCES tags (id),
    kind      TEXT NOT NULL,
    what      TEXT NOT NULL,
    issued    BIGINT NOT NULL,
    issued_by TEXT NOT NULL,
    ends      BIGINT,
    UNIQUE (va, instance, tag, kind)
);
CREATE INDEX orders_instance ON orders (instance);

-- The last text of orders that was written for an instance, and what it says that it has.
CREATE TABLE instance_orders (
    instance BIGINT PRIMARY KEY NOT NULL,
    serial   BIGINT NOT NULL,
    list     TEXT NOT NULL,
    text     TEXT NOT NULL,
    held     BIGINT NOT NULL,
    refused  TEXT
);

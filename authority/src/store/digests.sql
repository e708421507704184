-- The text of a catalog that is ordered lies apart, and goes with its order: what that says is the SHA-256 of the text.
CREATE TABLE ordered_catalogs (
    id   BIGINT PRIMARY KEY NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    text TEXT NOT NULL
);
INSERT INTO ordered_catalogs (id, text) SELECT id, what FROM orders WHERE tag = 0;
-- The digest is written by the program.
UPDATE orders SET what = '' WHERE tag = 0;

-- A text for an instance is made again from what is ordered, while that has the same digest, and from when it was written.
-- What was written before has no digest, and is written anew.
ALTER TABLE instance_orders DROP COLUMN list;
ALTER TABLE instance_orders DROP COLUMN text;
ALTER TABLE instance_orders ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE instance_orders ADD COLUMN issued BIGINT NOT NULL DEFAULT 0;
ALTER TABLE instance_orders ADD COLUMN set_aside TEXT;

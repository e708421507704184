-- A catalog is ordered as what is about a tag is; what it is about has the number 0, and no tag has an empty text.
INSERT INTO tags (id, tag) VALUES (0, '');

-- Finding messages by what they say: an index of our own, built beside the writing of messages.
--
-- Sending a message costs the search nothing: no index over its text, no second table. When enough
-- new messages have gathered in a stream (a guild or a private channel), they become a segment:
-- for every run of three letters, the places at which it stands. What is newer than the last
-- segment is searched by reading it. Ids of a stream grow in the order of commits, so one id
-- parts the two exactly.
-- A place only says where to look: what is found is always checked against the message itself, so
-- deleted messages and old wordings never show.

CREATE TABLE search_streams (
    stream_id  bigint PRIMARY KEY,  -- no key: it would lock the row that every message locks
    segments   integer NOT NULL DEFAULT 0,
    indexed_to bigint NOT NULL DEFAULT 0,  -- every message up to this id is in a segment
    -- When its new messages were counted the last time: the number of the newest event, less
    -- those messages, and the newest message.
    looked_seq bigint NOT NULL DEFAULT 0,
    looked_to  bigint NOT NULL DEFAULT 0
);

CREATE TABLE search_segments (
    stream_id bigint NOT NULL,
    segment   integer NOT NULL,
    first_id  bigint NOT NULL,
    last_id   bigint NOT NULL,
    PRIMARY KEY (stream_id, segment)
);

-- The messages of a segment, numbered in the order of ids.
CREATE TABLE search_documents (
    stream_id  bigint NOT NULL,
    segment    integer NOT NULL,
    position   smallint NOT NULL,
    channel_id bigint NOT NULL,
    message_id bigint NOT NULL,
    PRIMARY KEY (stream_id, segment, position)
);

-- Segment first, then key: a new segment only ever adds at the end of its stream.
CREATE TABLE search_postings (
    stream_id bigint NOT NULL,
    segment   integer NOT NULL,
    key       text COLLATE "C" NOT NULL,  -- a gram; after a space, something else to look for
    positions smallint[] NOT NULL,
    PRIMARY KEY (stream_id, segment, key)
);

-- Messages that were changed after they may have been put into a segment, until that has caught
-- up: they are searched by reading them. One row an edit, so that editing never waits.
CREATE TABLE search_edits (
    channel_id bigint NOT NULL,
    message_id bigint NOT NULL,
    number     bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (channel_id, message_id, number)
);

-- A text as it is compared: letters without case and width (NFKC, folded, and NFKC again since
-- folding may leave the normal form: Unicode 3.13, D145), and every white space a plain space.
-- Which folding there is depends on the server: 18 has that of Unicode, older ones lower letters.
DO $do$
DECLARE
    folded text := CASE
        WHEN to_regprocedure('casefold(text)') IS NOT NULL
            THEN 'casefold(normalize(content, NFKC) COLLATE "pg_unicode_fast")'
        WHEN EXISTS (SELECT FROM pg_collation WHERE collname = 'pg_c_utf8')
            THEN 'lower(normalize(content, NFKC) COLLATE "pg_c_utf8")'
        WHEN EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')
            THEN 'lower(normalize(content, NFKC) COLLATE "und-x-icu")'
        ELSE 'lower(normalize(content, NFKC))'
    END;
BEGIN
    EXECUTE format($sql$
        CREATE FUNCTION search_text(content text) RETURNS text
        LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
            SELECT CASE
                WHEN octet_length(content) = char_length(content)  -- ASCII, which is quicker
                    THEN translate(lower(content COLLATE "C"), E'\t\n\v\f\r', '     ')
                ELSE translate(normalize(%s, NFKC) COLLATE "C",
                               E'\t\n\v\f\r\u0085\u1680\u2028\u2029', '         ')
            END
        $body$
    $sql$, folded);
END
$do$;

-- The grams of a text that search_text has made: at every place that is no space the three letters
-- from there on, fewer where a word ends. So a gram begins with whatever stands there, also with
-- one or two letters. Cut into pieces first, because substr counts letters from the start.
CREATE FUNCTION search_grams(content text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT gram
      FROM generate_series(1, char_length(content), 64) AS start,
           LATERAL (SELECT substr(content, start, 66) AS piece OFFSET 0) AS cut,
           LATERAL generate_series(1, least(64, char_length(piece))) AS place,
           LATERAL (SELECT split_part(substr(piece, place, 3), ' ', 1) COLLATE "C" AS gram
                    OFFSET 0) AS read
     WHERE gram <> ''
$$;

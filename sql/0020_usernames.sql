-- Usernames without what cannot be seen.
--
-- Earlier versions took code points into usernames that have no shape of their own, such as
-- variation selectors and the Hangul fillers. So "ali<U+034F>ce" was free beside "alice". The folded
-- column leaves them out from here on (`key` in chatd/core/names.py). An account keeps its old key
-- if another account has the new one: nothing is renamed.
DO $do$
DECLARE
    invisible text := E'[\u00AD\u034F\u061C\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B-\u200F'
        || E'\u202A-\u202E\u2060-\u206F\u3164\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFF8'
        || E'\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0000-\U000E0FFF'
        || E'\u2800\U0001D159\U00013441\U00013442\U00016FE4\uFFFC]';
BEGIN
    UPDATE users
       SET username_key = seen.key
      FROM (
          SELECT DISTINCT ON (made.key) made.id, made.key
            FROM (
                SELECT id, regexp_replace(username_key, invisible, '', 'g') AS key
                  FROM users
                 WHERE username_key ~ invisible
            ) AS made
           WHERE made.key <> ''
             AND NOT EXISTS (SELECT FROM users WHERE users.username_key = made.key)
        ORDER BY made.key, made.id
      ) AS seen
     WHERE users.id = seen.id;
END
$do$;

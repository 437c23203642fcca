-- The order of lists of names, whatever the locale of the database: … x, y, z, æ, ø, å. Small and
-- capital letters are alike, and so are letters with and without accents. After z come the three
-- characters that were these letters in NS 4551, the Norwegian ASCII.

create function access.alphabetic(words text) returns bytea
language sql immutable parallel safe
as $$
  select convert_to(
    case
      when octet_length(words) = length(words) then lower(words)
      else access.folded(translate(normalize(words, nfc), 'æÆäÄøØöÖåÅ', '{{{{||||}}'))
    end, 'UTF8')
$$;

comment on function access.alphabetic(text) is
  'To sort names by: order by access.alphabetic(name). Null for null.';

-- O'Connor is found by oconnor, and by the ’ that a phone types for the ' of a computer.

create or replace function access.folded(words text) returns text
language sql immutable parallel safe
as $$
  select case
    when octet_length(words) = length(words) then lower(translate(words, '''`', ''))
    -- Made small last: a database of the locale C knows only the letters from A to Z.
    else lower(regexp_replace(regexp_replace(regexp_replace(
      translate(
        regexp_replace(
          normalize(translate(words, '''`´‘’ʼ′', ''), nfkd), '[\u0300-\u036f]+', '', 'g'),
        'øØðÐđĐłŁı', 'ooddddlli'
      ), '[æÆ]', 'ae', 'g'), '[þÞ]', 'th', 'g'), '[ßẞ]', 'ss', 'g'))
  end
$$;

comment on function access.folded(text) is
  'Small letters without accents and apostrophes: Sørensen is sorensen, O''Connor is oconnor.';

create or replace function access.alphabetic(words text) returns bytea
language sql immutable parallel safe
as $$
  select convert_to(
    access.folded(
      case
        when octet_length(words) = length(words) then words
        else translate(normalize(words, nfc), 'æÆäÄøØöÖåÅ', '{{{{||||}}')
      end), 'UTF8')
$$;

create or replace function access.patterns(asked text) returns text[]
language sql immutable strict parallel safe
as $$
  select coalesce(
           array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'),
           -- No folded text has an apostrophe, so this finds nothing.
           case when asked ~ '\S' then array[''''] else '{}' end)
    from unnest(regexp_split_to_array(access.folded(asked), '\s+')) word
   where word <> ''
$$;

-- How pages find names: whatever the case, without accents, each word anywhere and in any order.

create function access.folded(words text) returns text
language sql immutable parallel safe
as $$
  select case
    when octet_length(words) = length(words) then lower(words)
    -- Made small last: a database of the locale C knows only the letters from A to Z.
    else lower(regexp_replace(regexp_replace(regexp_replace(
      translate(
        regexp_replace(normalize(words, nfkd), '[\u0300-\u036f]+', '', 'g'),
        'øØðÐđĐłŁı', 'ooddddlli'
      ), '[æÆ]', 'ae', 'g'), '[þÞ]', 'th', 'g'), '[ßẞ]', 'ss', 'g'))
  end
$$;

comment on function access.folded(text) is 'Small letters without accents: Sørensen is sorensen.';

create function access.patterns(asked text) returns text[]
language sql immutable strict parallel safe
as $$
  select coalesce(array_agg('%' || regexp_replace(word, '([\\%_])', '\\\1', 'g') || '%'), '{}')
    from unnest(regexp_split_to_array(access.folded(asked), '\s+')) word
   where word <> ''
$$;

comment on function access.patterns(text) is
  'For folded(…) like all (patterns(…)): each word is found anywhere. None for nothing but blanks.';

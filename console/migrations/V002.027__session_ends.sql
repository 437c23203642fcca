-- That somebody was logged out by a person, herself or an admin: the audit tells who did it and from where.
-- Which browsers they were isn't kept. Nothing here is ever changed or deleted.

create table access.session_end (
  id        bigint generated always as identity primary key,
  account   bigint not null,
  browsers  text not null check (browsers in ('one', 'others', 'all')),
  ended_at  timestamptz not null default now()
);

select access.audit_changes('access.session_end');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.session_end from "p2k16-web";
    revoke all on sequence access.session_end_id_seq from "p2k16-web";
  end if;
end
$$;

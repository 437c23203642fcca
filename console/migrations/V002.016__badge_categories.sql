-- Badges by category. The web application's tables stay as they are.

create table access.badge_category (
  badge_description  bigint primary key,   -- badge_description.id
  category           text not null check (char_length(category) between 1 and 50)
);

select access.audit_changes('access.badge_category');

do $$
begin
  if to_regrole('"p2k16-web"') is not null and current_user <> 'p2k16-web' then
    revoke all on table access.badge_category from "p2k16-web";
  end if;
end
$$;

-- The roles of the web app and of its migrations. They are made without a password and without the
-- right to log in, so that they are of no use to anyone until somebody turns that on.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['p2k16-web', 'p2k16-flyway'] loop
    if to_regrole(quote_ident(wanted)) is null then
      begin
        execute format('create role %I nologin', wanted);
      exception
        when insufficient_privilege then
          raise insufficient_privilege using message = format(
            'the role "%s" is missing, and %s may not make one: let a superuser run '
            'CREATE ROLE "p2k16-web" NOLOGIN; CREATE ROLE "p2k16-flyway" NOLOGIN;',
            wanted, current_user);
        -- Roles belong to the whole server: a migration of another database may have just made it.
        when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
end
$$;

-- Both may do everything, but the web app only adds transactions. Where we may, the tables belong to
-- the web app's migrations, as they do on every older database.
do $$
declare
  superuser boolean := (select rolsuper from pg_roles where rolname = current_user);
  relation record;
begin
  for relation in
    select c.oid::regclass as name, case c.relkind when 'S' then 'sequence' else 'table' end as kind
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'S')
      and not exists (
        select from pg_depend d
        where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
  loop
    if superuser then
      execute format('alter %s %s owner to "p2k16-flyway"', relation.kind, relation.name);
    end if;
    execute format(
      'grant all on %s %s to "p2k16-web", "p2k16-flyway"', relation.kind, relation.name);
  end loop;
end
$$;

revoke all on "transaction" from "p2k16-web";
grant select, insert on "transaction" to "p2k16-web";

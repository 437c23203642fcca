-- The rows that every p2k16 database starts with, but nobody who could log in: the first person is
-- made with `p2k16-console accounts add`. The account `system` awards badges, and has made the circles.

insert into account (id, created_at, updated_at, username, email, system)
values (3, now(), now(), 'system', 'root@bitraf.no', true);

insert into circle (id, created_at, created_by, updated_at, updated_by, name, description,
  management_style, admin_circle, comment_required_for_membership)
values
  (1, now(), 3, now(), 3, 'admin', 'Admin', 'SELF_ADMIN', null, false),
  (2, now(), 3, now(), 3, 'door', 'Door access', 'ADMIN_CIRCLE', 1, false),
  (3, now(), 3, now(), 3, 'shopbot', 'Shopbot access', 'ADMIN_CIRCLE', 1, false),
  (4, now(), 3, now(), 3, 'shopbot-admin', 'Shopbot Admin', 'ADMIN_CIRCLE', 1, false),
  (5, now(), 3, now(), 3, 'laser-cutter', 'Laser cutter access', 'ADMIN_CIRCLE', 1, false),
  (6, now(), 3, now(), 3, 'laser-cutter-admin', 'Laser cutter Admin', 'ADMIN_CIRCLE', 1, false);

-- Doors that no controller of ours moves: the door controller of the old web app opens them, by HTTP
-- (dlock) or MQTT (mqtt). Nothing is published for them and nothing reported by them: what was asked
-- of them, and what became of it, is in access.command.

alter table access.door
  alter column controller drop not null,
  add column driver text not null default 'controller',
  add column topic text,  -- after [mqtt] legacy_door_prefix
  add constraint door_driver check (driver in ('controller', 'dlock', 'mqtt')),
  add constraint door_controller_if_driven
    check ((driver = 'controller') = (controller is not null)),
  add constraint door_topic_if_driven check ((driver = 'mqtt') = (topic is not null)),
  add constraint door_topic check (topic ~ '^[^+#]{1,100}$');

-- Without a controller there is no number either. `result` null: nobody knows what became of it, for
-- instance because this program was killed while it asked.
alter table access.command
  alter column controller drop not null,
  alter column counter drop not null,
  add constraint command_number_if_controller check (num_nulls(controller, counter) in (0, 2));

create index command_without_controller on access.command (point, issued_at)
  where controller is null;
create index command_without_controller_issued on access.command (issued_at)
  where controller is null;

-- The log looks for events of some kinds, and for orders of which no event tells.

create index event_kind on access.event (kind, happened_at);

create index command_untold on access.command (issued_at)
  where controller is null or result is null;

import { type Kysely, sql } from 'kysely';

/** Who must write a post-mortem and by when, when its room is archived, and reactions that tell a lesson. */
const toApply = [
  `create table postmortem_duty (
    incident_id integer primary key references incident (id),
    owner text,
    chosen_by text,
    told text,
    due_at timestamptz not null,
    next_at timestamptz,
    archive_step text check (archive_step in ('asked', 'announced', 'writing', 'archiving', 'archived', 'failed')),
    archive_at timestamptz
  )`,
  `create index postmortem_duty_next on postmortem_duty (next_at) where next_at is not null`,
  `create index postmortem_duty_archive on postmortem_duty (archive_at) where archive_at is not null`,
  // What was due before goes on: the next of its reminders is the next one here.
  `insert into postmortem_duty (incident_id, owner, told, due_at, next_at)
    select c.incident_id, i.commander, i.commander,
      max(c.due_at) filter (where c.kind = 'postmortem-48h'),
      case when i.status = 'resolved' then coalesce(min(c.due_at) filter (where c.state = 'running'),
        max(c.due_at) filter (where c.kind = 'postmortem-48h') + interval '1 day') end
    from clock c join incident i on i.id = c.incident_id
    where c.kind like 'postmortem-%'
    group by c.incident_id, i.commander, i.status
    having max(c.due_at) filter (where c.kind = 'postmortem-48h') is not null`,
  `delete from clock where kind like 'postmortem-%'`,
  `alter table timeline_mark drop constraint timeline_mark_via_check`,
  `alter table timeline_mark add constraint timeline_mark_via_check
    check (via in ('emoji', 'shortcut', 'good', 'bad', 'luck'))`,
];

const toTakeBack = [
  `delete from timeline_mark where via in ('good', 'bad', 'luck')`,
  `alter table timeline_mark drop constraint timeline_mark_via_check`,
  `alter table timeline_mark add constraint timeline_mark_via_check check (via in ('emoji', 'shortcut'))`,
  `insert into clock (incident_id, kind, due_at, state)
    select incident_id, 'postmortem-48h', due_at, 'running' from postmortem_duty where next_at is not null`,
  `drop table postmortem_duty`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toTakeBack) await sql.raw(statement).execute(db);
}

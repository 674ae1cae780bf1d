import { type Kysely, sql } from 'kysely';

/** What people mark for the timeline, who came and went, and what App Home and the digests last showed. */
const toApply = [
  `create table timeline_mark (
    incident_id integer not null references incident (id),
    channel_id text not null,
    ts text not null,
    marked_by text not null,
    via text not null check (via in ('emoji', 'shortcut')),
    author text,
    text text,
    permalink text,
    said_at timestamptz not null,
    is_on boolean not null,
    changed_ts text not null,
    primary key (incident_id, channel_id, ts, marked_by, via)
  )`,
  `create table room_presence (
    channel_id text not null,
    user_id text not null,
    kind text not null check (kind in ('joined', 'left')),
    ts text not null,
    incident_id integer not null references incident (id),
    at timestamptz not null,
    primary key (channel_id, user_id, kind, ts)
  )`,
  `create index room_presence_by_incident on room_presence (incident_id, ts)`,
  `create index room_message_by_incident on room_message (incident_id, ts)`,
  `create table digest_post (
    incident_id integer primary key references incident (id),
    channel_id text not null,
    ts text not null,
    shown text not null,
    posted_at timestamptz not null
  )`,
  `create table home_viewer (
    user_id text primary key,
    opened_at timestamptz not null,
    page integer not null,
    shown text,
    shown_at timestamptz
  )`,
];

const toUndo = [
  'drop table home_viewer',
  'drop table digest_post',
  'drop index room_message_by_incident',
  'drop table room_presence',
  'drop table timeline_mark',
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of toApply) await sql.raw(statement).execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const statement of toUndo) await sql.raw(statement).execute(db);
}

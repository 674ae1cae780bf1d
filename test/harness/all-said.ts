import { expect } from 'vitest';
import type { Job } from '../../src/db/jobs.ts';
import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { TOKEN, type World } from './bot.ts';
import { keyOf, roomsOf } from './room.ts';

type Said = Pick<Job, 'id' | 'kind' | 'payload'>;

/** Looks at PagerDuty minutes later, by a clock that a test does not move on for it. */
const LATER = 'look-at-notifications';

/** Until no job waits any more; throws at once when one was given up. */
export async function allDone(world: World, timeoutMs: number): Promise<void> {
  let waiting = '';
  const probe = async () => {
    const headers = { authorization: `Bearer ${TOKEN}` };
    const text = await (await fetch(`${world.url}/metrics`, { headers })).text();
    const lines = text.split('\n').filter((line) => line.startsWith('llm_incident_jobs{'));
    expect(lines.filter((line) => line.includes('state="dead"'))).toEqual([]);
    waiting = lines.filter((line) => !line.includes(LATER)).join('; ');
    return waiting === '' ? true : undefined;
  };
  await world.slack.waitFor('all jobs', probe, timeoutMs).catch((thrown: Error) => {
    throw new Error(`${thrown.message}; waiting: ${waiting}`);
  });
}

/**
 * Stops the bot and compares its rooms with its rows: one room an incident, the card first, everything that was to be
 * said there once, and in the order in which it was decided (an opening that is nobody's says nothing). Returns the keys by incident, in the order of the messages.
 */
export async function checkAllSaid(world: World): Promise<Map<number, string[]>> {
  await world.stopBot();
  const { db, close } = await world.database.open();
  const jobs: Said[] = await db.selectFrom('job').select(['id', 'kind', 'payload']).orderBy('id').execute();
  const incidents = await db.selectFrom('incident').select(['id', 'channel_id']).orderBy('id').execute();
  const remembered = await db.selectFrom('posted_message').select(['key', 'ts']).execute();
  await close();
  const rooms = await roomsOf(world);
  expect(rooms.map(({ id }) => id).sort()).toEqual(incidents.map(({ channel_id }) => channel_id).sort());
  const keysByIncident = new Map<number, string[]>();
  for (const { id, channel_id: room } of incidents) {
    const said = await ownMessages(world, String(room));
    const keys = said.map(({ key }) => key);
    keysByIncident.set(id, keys);
    expect(keys, `INC-${id}: nothing twice`).toEqual([...new Set(keys)]);
    expect(keys[0]).toBe(`card:${id}`);
    const wanted = wantedKeys(jobs, id);
    expect(
      [...wanted.keys()].filter((key) => !keys.includes(key) && !key.startsWith('opened:')),
      `INC-${id}: nothing lost`,
    ).toEqual([]);
    const order = keys.flatMap((key) => wanted.get(key) ?? []);
    expect(order, `INC-${id}: in order, ${keys.join(' ')}`).toEqual([...order].sort((a, b) => a - b));
    for (const { key, ts } of said)
      expect(remembered.find((one) => one.key === key)?.ts, `where ${key} is`).toBe(ts);
  }
  return keysByIncident;
}

/** What the bot posted in the room and in the thread of the card, by time. */
async function ownMessages(world: World, room: string): Promise<{ key: string; ts: string }[]> {
  const top = await world.slack.messages(room);
  const card = top.find((message) => keyOf(message)?.startsWith('card:'));
  const thread = card === undefined ? [] : await world.slack.replies(room, card.ts);
  const all = new Map<string, SlackMessage>([...top, ...thread].map((message) => [message.ts, message]));
  return [...all.values()]
    .sort((a, b) => Number(a.ts) - Number(b.ts))
    .flatMap((message) => {
      const key = keyOf(message);
      return key === undefined ? [] : [{ key, ts: message.ts }];
    });
}

/** The key of everything that was to be said about the incident, with the first job that says it. */
function wantedKeys(jobs: readonly Said[], incidentId: number): Map<string, number> {
  const wanted = new Map<string, number>();
  for (const job of jobs) {
    if (job.payload['incidentId'] !== incidentId) continue;
    const key = keyOfJob(job, incidentId);
    if (key !== null && !wanted.has(key)) wanted.set(key, job.id);
  }
  return wanted;
}

function keyOfJob({ id, kind, payload }: Said, incidentId: number): string | null {
  if (kind === 'open-room') return `card:${incidentId}`;
  if (kind === 'notice') return `notice:${id}`;
  if (kind === 'push') return payload['occasion'] === 'opened' ? `opened:${incidentId}` : `notice:${id}`;
  if (kind === 'show-proposal') return `proposal:${payload['mitigationId']}`;
  if (kind === 'show-receipt') return `receipt:${payload['mitigationId']}`;
  if (kind === 'show-characteristics') return `characteristics:${incidentId}`;
  if (kind === 'publish-postmortem') return `postmortem:${incidentId}`;
  return null;
}

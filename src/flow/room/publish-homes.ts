import { createHash } from 'node:crypto';
import { subDays } from 'date-fns';
import { z } from 'zod';
import { enqueue, isSuperseded, type Job, type NewJob } from '../../db/jobs.ts';
import { readSetting, writeSetting } from '../../db/setting-store.ts';
import { ExternalError, messageOf } from '../../errors.ts';
import { homeFingerprint, noteViewer, setShown, viewersSince } from '../../incident/home-store.ts';
import { listLive } from '../../incident/incident-store.ts';
import { rolesOf } from '../../incident/stakeholder.ts';
import type { Flow } from '../flow.ts';
import { rolesHeldBy } from '../stakeholders/contacts.ts';
import { homeFor } from './home.ts';
import { loadHomeState } from './load-home.ts';

export const PUBLISH_HOMES = 'publish-homes';

const SEEN_SETTING = 'home-fingerprint';
/** Policy: who has not looked for so long gets theirs drawn when they look again. */
const VIEWER_DAYS = 2;

const payload = z.object({ userId: z.string().nullish() });

const publishHomes = (userId: string | null, now: Date): NewJob => ({
  kind: PUBLISH_HOMES,
  payload: { userId },
  runAt: now,
  lane: userId === null ? 'homes' : `home:${userId}`,
});

/** Somebody opened App Home, or turned its page. */
export async function openHome(
  flow: Pick<Flow, 'db' | 'clock' | 'wake'>,
  seen: { userId: string; page: number },
): Promise<void> {
  const now = flow.clock.now();
  await flow.db.transaction().execute(async (tx) => {
    await noteViewer(tx, { ...seen, at: now });
    await enqueue(tx, publishHomes(seen.userId, now));
  });
  flow.wake();
}

/** At every tick: where anything changed that App Home shows, it is drawn again for those who looked lately. */
export async function refreshHomes(flow: Pick<Flow, 'db' | 'clock'>): Promise<void> {
  const now = flow.clock.now();
  const viewers = await viewersSince(flow.db, subDays(now, VIEWER_DAYS));
  if (viewers.length === 0) return;
  const print = await homeFingerprint(flow.db);
  if ((await readSetting(flow.db, SEEN_SETTING)) === print) return;
  await flow.db.transaction().execute(async (tx) => {
    await writeSetting(tx, SEEN_SETTING, print);
    await enqueue(tx, publishHomes(null, now));
  });
}

/** Draws App Home of one person, or of all whose changed; one after the other, so that a limit of Slack's only delays. */
export async function drawHomes(flow: Flow, job: Job): Promise<void> {
  const userId = payload.parse(job.payload).userId ?? null;
  if (job.lane !== null && (await isSuperseded(flow.db, { id: job.id, kind: job.kind, lane: job.lane })))
    return;
  const viewers = await viewersSince(flow.db, subDays(flow.clock.now(), VIEWER_DAYS));
  const wanted = viewers.filter((viewer) => userId === null || viewer.user_id === userId);
  if (wanted.length === 0) return;
  const state = await loadHomeState(flow);
  const readers = await privateReaders(flow);
  for (const { user_id: person, page, shown } of wanted) {
    const home = homeFor(state, { person, page, maySee: await readers(person) });
    const digest = createHash('sha256').update(JSON.stringify(home)).digest('hex');
    if (userId === null && digest === shown) continue;
    if (await publish(flow, person, home))
      await setShown(flow.db, { userId: person, digest, at: flow.clock.now() });
  }
}

/** False where Slack will not show it to this person, such as one who has left: the others get theirs all the same. */
async function publish(
  flow: Pick<Flow, 'chat' | 'log'>,
  person: string,
  home: ReturnType<typeof homeFor>,
): Promise<boolean> {
  try {
    await flow.chat.publishHome(person, home);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof ExternalError) || thrown.retryable) throw thrown;
    flow.log.warn({ person, error: messageOf(thrown) }, 'App Home could not be drawn');
    return false;
  }
}

/** Which private incidents a person may see: by being in the room or holding a role; in any doubt none. */
async function privateReaders(flow: Flow): Promise<(person: string) => Promise<Set<number>>> {
  const incidents = (await listLive(flow.db)).filter((incident) => incident.private);
  const members = new Map<number, Set<string>>();
  for (const { id, channel_id: channelId } of incidents) {
    const inside = new Set<string>();
    try {
      if (channelId !== null) for await (const one of flow.chat.membersOfRoom(channelId)) inside.add(one);
    } catch (thrown) {
      if (!(thrown instanceof ExternalError)) throw thrown;
      flow.log.warn({ incidentId: id, error: messageOf(thrown) }, 'who is in a room could not be read');
      inside.clear();
    }
    members.set(id, inside);
  }
  return async (person) => {
    const seen = new Set<number>();
    for (const incident of incidents) {
      const isInside = members.get(incident.id)?.has(person) === true;
      if (isInside || (await rolesHeldBy(flow, person, rolesOf(incident))).length > 0) seen.add(incident.id);
    }
    return seen;
  };
}

import type { App } from '@slack/bolt';
import type { ModalView } from '@slack/types';
import { messageOf } from '../../errors.ts';
import type { Flow } from '../../flow/flow.ts';
import {
  type Exposure,
  exposureOf,
  exposurePage,
  exposureRights,
  USERS_PER_PAGE,
} from '../../flow/stakeholders/exposure.ts';
import { samplesFor } from '../../flow/stakeholders/private-samples.ts';
import { newestNotice } from '../../incident/exposure-notice-store.ts';
import { type Incident, nameOf } from '../../incident/incident.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { exposureModal, saidView, samplesModal } from '../views/exposure-modal.ts';
import { incidentOfChannel, NOT_IN_A_ROOM, namedIncident } from './ask.ts';

export type Client = App['client'];

const REFUSED =
  'You may not see this. Who may: the people in its room, and its legal, compliance and comms contacts.';

/** What is shown in a modal only: to whoever asks, after a look whether they may. */
export interface CheckedModal {
  title: string;
  build: () => Promise<ModalView>;
}

/** The modal that a command asks for; null where it asks for none. */
export function modalOfCommand(
  flow: Flow,
  { word, rest }: { word: string; rest: string },
  place: { userId: string; channelId: string },
): CheckedModal | null {
  const build = Object.hasOwn(MODALS, word) ? MODALS[word] : undefined;
  if (build === undefined) return null;
  const find = async () => {
    const incident = await incidentOfChannel(flow, place.channelId);
    return namedIncident({ flow, text: rest, incident, origin: '', ...place });
  };
  return {
    title: TITLES[word] ?? word,
    build: async () => {
      const incident = await find();
      if (incident === null) return saidView(TITLES[word] ?? word, NOT_IN_A_ROOM);
      return build(flow, incident, place.userId);
    },
  };
}

type Build = (flow: Flow, incident: Incident, userId: string) => Promise<ModalView>;

const TITLES: Record<string, string> = { exposure: 'Who was exposed', samples: 'Samples' };
const MODALS: Record<string, Build> = {
  exposure: (flow, incident, userId) => exposureView(flow, { incident, userId, page: 0 }),
  samples: samplesView,
};

/** Opens first, because a trigger lives for three seconds, and fills it then. False where it could not be opened. */
export async function openChecked(
  flow: Flow,
  client: Client,
  { triggerId, modal }: { triggerId: string; modal: CheckedModal },
): Promise<boolean> {
  let viewId: string | undefined;
  try {
    const view = saidView(modal.title, 'Looking…');
    viewId = (await client.views.open({ trigger_id: triggerId, view })).view?.id;
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'a modal could not be opened');
    return false;
  }
  if (viewId !== undefined) await fill(flow, client, { viewId, modal });
  return true;
}

/** Shows what `modal` builds in a view that is open; one that was closed meanwhile is let be. */
export async function fill(
  flow: Flow,
  client: Client,
  { viewId, modal }: { viewId: string; modal: CheckedModal },
): Promise<void> {
  let view: ModalView;
  try {
    view = await modal.build();
  } catch (thrown) {
    flow.log.error({ error: messageOf(thrown) }, 'a modal could not be filled');
    view = saidView(modal.title, 'That did not work just now. Try again.');
  }
  try {
    await client.views.update({ view_id: viewId, view });
  } catch (thrown) {
    flow.log.info({ error: messageOf(thrown) }, 'a modal could not be updated');
  }
}

export async function exposureView(
  flow: Flow,
  { incident, userId, page }: { incident: Incident; userId: string; page: number },
): Promise<ModalView> {
  const title = 'Who was exposed';
  const rights = await exposureRights(flow, incident, userId);
  if (!rights.see) return saidView(title, REFUSED);
  const exposure = await exposureOf(flow, incident);
  if (exposure === null)
    return saidView(title, `${nameOf(incident.id)} names no service, so its users cannot be told.`);
  if (page === 0) await recordLook(flow, { incident, userId, exposure });
  return exposureModal({
    incidentId: incident.id,
    exposure,
    users: await exposurePage(flow, exposure, page),
    page,
    pages: Math.ceil(exposure.users / USERS_PER_PAGE),
    rights,
    notice: (await newestNotice(flow.db, incident.id)) ?? null,
    canNotify: flow.config.exposure.webhook !== undefined,
  });
}

async function recordLook(
  flow: Flow,
  { incident, userId, exposure }: { incident: Incident; userId: string; exposure: Exposure },
): Promise<void> {
  await flow.db.transaction().execute(async (tx) => {
    const data = { users: exposure.users, calls: exposure.calls };
    const subject = nameOf(incident.id);
    await audit(tx, { at: flow.clock.now(), actor: userId, action: 'exposure.shown', subject, data });
  });
}

async function samplesView(flow: Flow, incident: Incident, by: string): Promise<ModalView> {
  const found = await samplesFor(flow, { incident, by });
  return found.kind === 'not-allowed'
    ? saidView('Samples', REFUSED)
    : samplesModal(found.samples, { isRaw: found.isRaw, incidentId: incident.id });
}

/** For the button of the card. */
export function samplesOf(flow: Flow, incident: Incident, by: string): CheckedModal {
  return { title: 'Samples', build: () => samplesView(flow, incident, by) };
}

import { enqueue } from '../../db/jobs.ts';
import { pathOf } from '../../decision/decision-store.ts';
import { walk } from '../../decision/walk.ts';
import { wishOf } from '../../flow/decide/leaf-plan.ts';
import { playbookFor } from '../../flow/decide/playbooks.ts';
import { nearestSymptom } from '../../flow/decide/walk-tree.ts';
import { drawTree, showTree } from '../../flow/effects.ts';
import { propose } from '../../flow/mitigate/propose.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { escapeLine } from '../mrkdwn.ts';
import { inRoom, proposalAnswer } from './ask.ts';
import { type Button, FOREIGN } from './buttons.ts';
import { refusal } from './gate.ts';

const SHOW = '--show';

/** `tree`, `tree SYMPTOM`, and either with `--show` to draw it. */
export const tree = inRoom(async ({ flow, incident, text }) => {
  const words = text.trim().split(/\s+/);
  const isDrawn = words.includes(SHOW);
  const word = words.filter((one) => one !== SHOW).join(' ');
  const playbook = playbookFor(flow.config, incident.service);
  const found = word === '' ? { kind: 'none' as const } : nearestSymptom(playbook, word);
  if (found.kind === 'unknown')
    return `No symptom "${escapeLine(word)}". Nearest: ${found.nearest.join(', ')}.`;
  const now = flow.clock.now();
  const named = found.kind === 'found' ? found.id : null;
  if (!isDrawn) {
    await enqueue(flow.db, showTree(incident.id, named, now));
    return 'The decision tree is in the thread of the card.';
  }
  const walked = (await pathOf(flow.db, incident.id)).at(-1)?.symptom ?? null;
  await enqueue(flow.db, drawTree(incident.id, named ?? walked, now));
  return 'The drawing comes in the thread of the card.';
});

/** Proposes the plan of the leaf that the walk has reached; what it wants is read from the tree, never from the button. */
export const proposeLeaf: Button = async ({ flow, userId, channelId, value }) => {
  const [, id, symptom = ''] = /^(\d{1,9}):([a-z0-9-]{1,60})$/.exec(value) ?? [];
  const incident = id === undefined ? undefined : await findIncident(flow.db, Number(id));
  if (incident === undefined || incident.channel_id !== channelId) return FOREIGN;
  const playbook = playbookFor(flow.config, incident.service);
  if (!playbook.symptoms.some((one) => one.id === symptom)) return FOREIGN;
  const refused = await refusal(flow, { incident, by: userId, action: 'mitigate' });
  if (refused !== null) return refused;
  const { leaf } = walk(playbook, await pathOf(flow.db, incident.id), symptom);
  if (leaf === null || leaf.action === null) return 'The walk has not led to a plan.';
  const wish = await wishOf(flow, incident, leaf.action);
  if (wish.kind === 'nothing') return `${escapeLine(wish.why)} Nothing was proposed.`;
  return proposalAnswer(await propose(flow, { incident, by: userId, wanted: wish.wanted, why: wish.why }));
};
